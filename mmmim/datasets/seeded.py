"""Labelled data whose augmentation is a function of (seed, epoch, index)."""

import random

import numpy as np
import torch
from torch.utils.data import Dataset

from mmmim.registry import DATASETS

from .decoding import ImageError, decode_file
from .randomness import philox
from .skips import SkipList


@DATASETS.register_module()
class SeededDataset(Dataset):
    """A data set of mmpretrain, mmdet or mmseg that draws alike in any process and after a resume.

    The transforms of those packages draw from the global generators of the loader worker, so that a
    sample depends on the number of workers and on all samples before. Here these generators are
    seeded before each sample. What the data set offers beside its items is passed through.

    A sample whose image cannot be read is named, skipped and replaced by the next one, as in
    ``mmmim.ImageFolder``; any other error of the pipeline is raised as it is.

    Args:
        dataset (dict | Dataset): Config, or data set.
        seed (int, optional): None takes that of the run, which the sampler passes on.
        max_broken (float): Share of broken files, of at least ten, above which to stop.
    """

    def __init__(self, dataset, seed: int | None = None, max_broken: float = 0.01) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        if hasattr(self.dataset, 'full_init'):
            self.dataset.full_init()
        self.seed, self._fixed_seed = seed or 0, seed is not None
        self.skips = SkipList(len(self.dataset), self._path, max_broken)

    @property
    def skipped(self) -> list[str]:
        """Broken files met so far by this process and its forked workers."""
        return [self._path(i) for i in self.skips.indices()]

    def _path(self, index: int) -> str | None:
        info = getattr(self.dataset, 'get_data_info', dict)
        try:
            return info(index).get('img_path')
        except (TypeError, AttributeError):
            return None

    def set_seed(self, seed: int) -> None:
        """Take over the seed of the run, unless the config gave one."""
        if not self._fixed_seed:
            self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index):
        """
        Args:
            index: (epoch, sample index), or a sample index, which stands for epoch 0.
        """
        epoch, index = index if isinstance(index, tuple) else (0, index)
        states = _states()
        try:
            for step in range(len(self)):
                source = (index + step) % len(self)
                if source not in self.skips:
                    _seed_all(self.seed, epoch, source)
                    try:
                        return self.dataset[source]
                    except Exception as error:
                        self._skip(source, error)
        finally:
            _restore(states)
        raise RuntimeError(f'none of the {len(self)} images can be read.')

    def _skip(self, index: int, error: Exception) -> None:
        """Skip a sample if its image is the cause of an error, else raise that."""
        path = self._path(index)
        if path is None or '://' in path:
            raise error
        try:
            decode_file(path)
        except ImageError as cause:
            self.skips.add(index, cause)
        else:
            raise error

    def get_data_info(self, index) -> dict:
        """As the data set's; batch samplers ask with what the sampler gives them."""
        return self.dataset.get_data_info(index[1] if isinstance(index, tuple) else index)

    def __getattr__(self, name):
        if name == 'dataset':  # not yet there while being unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)


def _seed_all(seed: int, epoch: int, index: int) -> None:
    words = philox(seed, epoch, index).random_raw(3) & 0xFFFFFFFF
    random.seed(int(words[0]))
    np.random.seed(int(words[1]))
    torch.random.default_generator.manual_seed(int(words[2]))


def _states() -> tuple:
    """Without workers the model's generators are these too, and must not notice."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _restore(states: tuple) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
