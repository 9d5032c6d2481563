"""Mean, standard error and separation of repeated runs. Plain Python, no imports from the stack."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Summary(NamedTuple):
    """Repeated runs of one setting.

    Attributes:
        mean: Mean over runs.
        se: Standard error of the mean, ``sd / sqrt(n)`` with ``ddof=1``; None with a single run.
        values: One number per run, in the order of the seeds.
    """

    mean: float
    se: float | None
    values: tuple

    def as_dict(self) -> dict:
        return dict(mean=self.mean, se=self.se, seeds=list(self.values))


class Difference(NamedTuple):
    """``a - b`` with the threshold above which it counts as established.

    Attributes:
        value: Difference of the means.
        threshold: ``2 * sqrt(se_a**2 + se_b**2)``; None when a side has a single run.
        separated: Whether ``value > threshold``; None without a threshold.
    """

    value: float
    threshold: float | None
    separated: bool | None


def summarise(values: Sequence[float]) -> Summary:
    """Mean and standard error of at least one finite number.

    Raises:
        ValueError: If ``values`` is empty or holds a number that is not finite.
    """
    values = tuple(float(value) for value in values)
    if not values:
        raise ValueError('Cannot summarise an empty list of runs.')
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f'Cannot summarise {list(values)}: one of them is not finite.')
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return Summary(mean, None, values)
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return Summary(mean, math.sqrt(variance / len(values)), values)


def difference(a: Summary, b: Summary) -> Difference:
    """How far ``a`` lies above ``b``, and whether it is more than twice the combined error."""
    value = a.mean - b.mean
    if a.se is None or b.se is None:
        return Difference(value, None, None)
    threshold = 2 * math.sqrt(a.se**2 + b.se**2)
    return Difference(value, threshold, value > threshold)
