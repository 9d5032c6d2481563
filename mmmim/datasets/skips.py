"""Images that cannot be read: named once, counted by all workers together, and limited."""

import logging
from collections.abc import Callable

import numpy as np
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from .shared_memory import shared_zeros

_ALWAYS = 10  # broken files that stop no run, however small the data set


class TooManyBroken(RuntimeError):
    """More images than allowed cannot be read."""


class SkipList:
    """Which samples of a data set are skipped; forked workers write into the same list.

    Args:
        count: Samples of the data set.
        name: Path of a sample, by its index.
        share: Broken files allowed, as a share of ``count``; ten are always allowed.
    """

    def __init__(self, count: int, name: Callable[[int], str], share: float) -> None:
        self.flags = shared_zeros(count, np.bool_)
        self.name, self.share = name, share

    def __contains__(self, index: int) -> bool:
        return bool(self.flags[index])

    def indices(self) -> list[int]:
        return np.flatnonzero(self.flags).tolist()

    def add(self, index: int, error: Exception) -> None:
        """Skip a sample from now on, saying so.

        Raises:
            TooManyBroken: If it is one more than allowed.
        """
        self.flags[index] = True
        # mmengine shows nothing below ERROR on the other ranks, and the name must be seen.
        level = logging.WARNING if is_main_process() else logging.ERROR
        print_log(f"skipping image '{self.name(index)}': {error}", 'current', level)
        count, total = int(self.flags.sum()), len(self.flags)
        if count > max(_ALWAYS, self.share * total):
            raise TooManyBroken(
                f'{count} of {total} images cannot be read, more than max_broken='
                f'{self.share:g} allows; the last one: {self.name(index)} ({error}).'
            )
