"""From samples to a batch, and the start of a loader worker."""

import signal
from collections.abc import Sequence

import torch
from torch.utils.data import default_collate

from mmmim.registry import FUNCTIONS


@FUNCTIONS.register_module()
def collate_views(samples: Sequence[dict]) -> dict:
    """Stack samples into tensors, without one object per image.

    Args:
        samples: N dicts with the same keys: views as tensors of equal shape, numbers as int.

    Returns:
        dict(inputs=dict(...)): each view (N, ...) in its dtype, each number (N,) int64.

    Raises:
        ValueError: If the samples differ in a view's shape.
    """
    first = samples[0]
    for name, value in first.items():
        if isinstance(value, torch.Tensor):
            odd = next((s for s in samples if s[name].shape != value.shape), None)
            if odd is not None:
                raise ValueError(
                    f"view '{name}' has shape {tuple(value.shape)} in sample "
                    f'{first.get("sample_index")} and {tuple(odd[name].shape)} in sample '
                    f'{odd.get("sample_index")}: end the pipeline with a crop of fixed size.'
                )
    return dict(inputs=default_collate(samples))


@FUNCTIONS.register_module()
def worker_init(worker_id: int) -> None:
    """Start of a loader worker: one thread, and Ctrl-C left to the main process.

    Seeds are not set: augmentation draws from (seed, epoch, sample index), see randomness.py.
    """
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
