"""Random numbers of the data path: functions of (seed, epoch, sample index) and nothing else.

Philox is a counter-based generator (Salmon et al., SC 2011): its coordinates are its state, so a
sample is augmented alike on any number of processes or workers and after any resume. Users draw
``random()`` or ``random_raw()`` only; those are defined by the algorithm, while NumPy may change
how it derives integers, permutations or normal numbers from them.
"""

import numpy as np
from numpy.random.bit_generator import ISeedSequence

_WORD = (1 << 64) - 1
AUGMENTATION, ORDER = 1, 2  # streams: independent uses of one seed


class _Key(ISeedSequence):
    """A key as it is. Given as ``key=``, NumPy would ask the system for entropy first, which takes
    longer than all numbers of a sample."""

    def __init__(self, key: np.ndarray) -> None:
        self.key = key

    def generate_state(self, n_words, dtype=np.uint32):
        return self.key


def philox(seed: int, epoch: int, index: int = 0, stream: int = AUGMENTATION) -> np.random.Philox:
    """The bit generator at the coordinates (seed, stream, epoch, index).

    Args:
        seed: Seed of the run, any integer; taken modulo 2**64.
        epoch: Epoch, counted from 0.
        index: Sample index.
        stream: Separates independent uses of the same coordinates.
    """
    # Philox counts upwards in the first word, so coordinates stand in the last two.
    key = np.array([seed & _WORD, stream], dtype=np.uint64)
    counter = np.array([0, 0, index, epoch], dtype=np.uint64)
    return np.random.Philox(_Key(key), counter=counter)


def sample_rng(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Generator for the augmentation of one sample in one epoch."""
    return np.random.Generator(philox(seed, epoch, index))


def permutation(seed: int, epoch: int, length: int) -> np.ndarray:
    """(length,) int64, the order of an epoch; a function of its arguments on every NumPy."""
    return np.argsort(philox(seed, epoch, stream=ORDER).random_raw(length), kind='stable')
