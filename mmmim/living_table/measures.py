"""From markers of finished jobs to numbers: what was measured, what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from mmmim.analysis.statistics import Summary, summarise
from mmmim.quickstart.results import choose_lr, job_name, metric

from . import methods
from .methods import REFERENCE_COST, Method
from .options import FROZEN, PROTOCOLS, TRAINED

CHOICE = ('ft', 'lin', 'knn', 'det', 'seg')  # choices are made by the first of these that is run


class Cost(NamedTuple):
    """What a pre-training took, as a mean over the seeds that were not interrupted.

    Attributes:
        cpu_seconds: Processor time of the whole job, loader included.
        images: Seen.
        speed: Images per second of wall time, with the other jobs beside it.
        relative: Processor seconds in units of the row REFERENCE_COST; None while it has none.
    """

    cpu_seconds: float
    images: int
    speed: float | None
    relative: float | None = None


class Row(NamedTuple):
    """One row of the table.

    Attributes:
        method: What it is.
        scores: Protocol -> Summary over the seeds that are done, None if there is none.
        cost: None while unknown, and for random initialisation.
        problem: Why it cannot be trained, or ''.
        failed: Names of its jobs that failed.
        rates: Protocol -> learning rate chosen on tune.
        tune: Protocol -> value on the tune split with the first seed.
    """

    method: Method
    scores: dict
    cost: Cost | None
    problem: str
    failed: tuple
    rates: dict
    tune: dict

    def seeds(self) -> int:
        """The fewest seeds behind any number of the row."""
        return min((len(item.values) for item in self.scores.values() if item), default=0)


def read_result(path) -> dict:
    return json.loads(Path(path).read_text(encoding='utf-8'))


def chosen_rate(method, protocol: str, done, first: int) -> float | None:
    """The learning rate that the first seed chose on tune; None before all of them are tried."""
    task = TRAINED[protocol]
    if any(job_name(task, method.name, rate, first) not in done for rate in task.grid):
        return None
    return choose_lr(task, method.name, done, task.grid, [first])[0]


def score(method, protocol: str, split: str, done, seed: int, first: int) -> float | None:
    """A number in per cent, None while it is missing."""
    if protocol in FROZEN:
        marker = done.get(f'frozen-{method.name}-s{seed}')
        return marker['result'][split].get(protocol) if marker else None
    rate, task = chosen_rate(method, protocol, done, first), TRAINED[protocol]
    name = rate and job_name(task, method.name, rate, seed)
    if name not in done:
        return None
    return metric(done, name, split, task.metric_key, task.scale)


def choice_protocol(protocols) -> str:
    return next(name for name in CHOICE if name in protocols)


def mixture_choice(mixtures, options, done, failed=()):
    """The mixture that is best on tune with the first seed; None while any may still be.

    One with a failed job cannot win.
    """
    first, protocol = options.seeds[0], choice_protocol(options.protocols)
    tried = []
    for method in mixtures:
        value = score(method, protocol, 'tune', done, first, first)
        if value is None and not failures(method, failed, options.seeds[:1]):
            return None
        if value is not None:
            tried.append((value, method))
    return max(tried, key=lambda item: item[0])[1] if tried else None


def job_names(method, seeds):
    """Names of all jobs that a row may have."""
    for seed in seeds:
        yield f'pretrain-{method.name}-s{seed}'
        yield f'frozen-{method.name}-s{seed}'
        for task in TRAINED.values():
            yield from (job_name(task, method.name, rate, seed) for rate in task.grid)


def failures(method, failed, seeds) -> tuple:
    return tuple(name for name in job_names(method, seeds) if name in failed)


def cost(method, done, seeds) -> Cost | None:
    """Of the pre-trainings of a row that ran in one go."""
    markers = [done.get(f'pretrain-{method.name}-s{seed}') for seed in seeds]
    markers = [m for m in markers if m and not m.get('continued') and 'cpu_seconds' in m]
    if not markers:
        return None
    speeds = [m['result']['speed'] for m in markers if m['result'].get('speed')]
    return Cost(
        summarise([m['cpu_seconds'] for m in markers]).mean,
        markers[0]['result']['images'],
        summarise(speeds).mean if speeds else None,
    )


def summary(method, protocol, done, seeds) -> Summary | None:
    values = [score(method, protocol, 'val', done, seed, seeds[0]) for seed in seeds]
    values = [value for value in values if value is not None]
    return summarise(values) if values else None


def build_rows(options, done, problems, failed=()) -> list[Row]:
    """All rows of the table, in its order, whether they were asked for or not."""
    seeds, first = options.seeds, options.seeds[0]
    rows = []
    for method in methods.METHODS:
        rates = {name: chosen_rate(method, name, done, first) for name in TRAINED}
        tune = {name: score(method, name, 'tune', done, first, first) for name in PROTOCOLS}
        rows.append(
            Row(
                method,
                {name: summary(method, name, done, seeds) for name in PROTOCOLS},
                cost(method, done, seeds),
                problems.get(method.name, ''),
                failures(method, failed, seeds),
                {name: rate for name, rate in rates.items() if rate is not None},
                {name: value for name, value in tune.items() if value is not None},
            )
        )
    unit = next((row.cost for row in rows if row.method.name == REFERENCE_COST), None)
    return [_relative(row, unit) for row in rows]


def _relative(row: Row, unit: Cost | None) -> Row:
    if row.cost is None or unit is None:
        return row
    relative = row.cost.cpu_seconds / unit.cpu_seconds if unit.cpu_seconds else None
    return row._replace(cost=row.cost._replace(relative=relative))
