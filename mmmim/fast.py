"""Fast paths that can be switched off: each does the work of a plain one, which stays.

``MMMIM_PLAIN=stream,targets python tools/train.py ...`` or ``with plain('stream'):`` takes the
plain path. tests/models/test_fast_paths.py compares the two.
"""

import os
from contextlib import contextmanager

import torch
from torch import Tensor

PATHS = {
    'stream': 'residual stream of transformers in bfloat16 under autocast, statistics in float32',
    'attention': 'long attention on CPUs in chunks of queries, which stores no (L, L) matrix',
    'targets': 'targets of masked cells alone, where the loss reads no others',
    'tokenizer': "body of DALL-E's tokenizer in bfloat16 under autocast on CPUs, channels last",
    'rows': 'of a JPEG no more rows decoded than its crop needs',
    'activations': 'outputs of norms and GELU computed again, not kept, where sequences are long',
    'decoder': 'the last block of a decoder for masked cells alone',
    'memory': 'on CPUs freed memory stays with the process, which saves page faults',
}


def _from_environment() -> set[str]:
    names = {name.strip() for name in os.environ.get('MMMIM_PLAIN', '').split(',')} - {''}
    unknown = names - set(PATHS) - {'all'}
    if unknown:
        raise ValueError(
            f'MMMIM_PLAIN={os.environ["MMMIM_PLAIN"]} names {sorted(unknown)}: '
            f'choose from {", ".join(PATHS)}, or all.'
        )
    return set(PATHS) if 'all' in names else names


_off = _from_environment()


def is_fast(name: str) -> bool:
    """Whether a path of ``PATHS`` is on."""
    return name not in _off


@contextmanager
def plain(*names: str):
    """Switch paths off, all of them if none is named.

    Raises:
        ValueError: For a name that is not in ``PATHS``.
    """
    unknown = set(names) - set(PATHS)
    if unknown:
        raise ValueError(f'no fast path is named {sorted(unknown)}: choose from {tuple(PATHS)}.')
    added = set(names or PATHS) - _off
    _off.update(added)
    try:
        yield
    finally:
        _off.difference_update(added)


def stream(x: Tensor) -> Tensor:
    """Tokens as they enter a stack of blocks: in bfloat16 where autocast computes in it.

    What blocks add is rounded to bfloat16 then; without this, sums promote it to float32 and every
    norm and residual moves twice the bytes. float16 is left alone: sums may exceed its range.
    """
    if x.is_meta or not is_fast('stream') or not torch.is_autocast_enabled(x.device.type):
        return x
    dtype = torch.get_autocast_dtype(x.device.type)
    return x.to(dtype) if dtype == torch.bfloat16 else x
