"""How the process gives memory back."""

import ctypes
import sys

from mmmim.fast import is_fast

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3), glibc
_LARGEST = (1 << 31) - 1
_BLOCKS = (1 << 30, 1 << 25)  # older glibc refuses the first and takes the second


def keep_freed_memory() -> bool:
    """Let glibc keep what tensors free, instead of handing it back and faulting it in again.

    A training step on a CPU frees and asks for the same gigabyte each time; without this the kernel
    clears every page of it anew. The peak stays what it was, since the next step needs it again.

    Returns:
        Whether it was done: on Linux with glibc, unless ``MMMIM_PLAIN`` names 'memory'.
    """
    if not sys.platform.startswith('linux') or not is_fast('memory'):
        return False
    try:
        mallopt = ctypes.CDLL('libc.so.6').mallopt
    except (OSError, AttributeError):
        return False
    taken = any(mallopt(_MMAP_THRESHOLD, size) for size in _BLOCKS)
    return bool(taken and mallopt(_TRIM_THRESHOLD, _LARGEST))
