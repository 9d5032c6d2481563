"""From markers of finished jobs to numbers: what was measured, what is missing."""

from __future__ import annotations

from typing import NamedTuple

from mmmim.analysis.statistics import Difference, Summary, difference, summarise


class Outcome(NamedTuple):
    """One metric of one task.

    Attributes:
        task: Name of the protocol.
        title: Of the protocol.
        metric: Name and unit.
        sides: Side -> Summary, None while nothing is there.
        rates: Side -> learning rate; None for the config's own, or where there is none.
        tried: Learning rates tried.
        chosen_on: 'tune', or 'the reported split'; empty if nothing was chosen.
        config: Name of the config.
        deviation: From the papers' setting.
        problems: Names of jobs that failed.
        missing: Names of jobs that are not done.
    """

    task: str
    title: str
    metric: str
    sides: dict
    rates: dict
    tried: tuple
    chosen_on: str
    config: str
    deviation: str
    problems: tuple
    missing: tuple

    @property
    def gain(self) -> Difference | None:
        pretrained, scratch = (self.sides.get(side) for side in ('pretrained', 'scratch'))
        return difference(pretrained, scratch) if pretrained and scratch else None


def job_name(task: str, side: str, rate: float | None, seed: int) -> str:
    return f'{task}-{side}-{"lr-of-config" if rate is None else f"lr{rate:g}"}-s{seed}'


def frozen_seeds(side: str, seeds) -> tuple:
    """Frozen protocols have nothing random but random weights."""
    return seeds if side == 'scratch' else seeds[:1]


def value(marker: dict, split: str, key: str, scale: float) -> float | None:
    """A metric in per cent.

    Raises:
        ValueError: If the job reported the split but not the metric.
    """
    metrics = marker['result'].get(split)
    if metrics is None:
        return None
    if key not in metrics:
        known = ', '.join(sorted(map(str, metrics))) or 'nothing'
        raise ValueError(f'Job {marker["name"]} has no metric {key!r} (it has {known}).')
    return scale * metrics[key]


def choose_rate(setting, side: str, rates, seed: int, done) -> float | None:
    """The rate that is best with the first seed, None before all are tried; a draw: the smaller.

    On the tune split where the config has one, else on the reported one, which the table says.
    """
    markers = [done.get(job_name(setting.task, side, rate, seed)) for rate in rates]
    if not all(markers):
        return None
    split = choice_split(markers)
    scores = [value(marker, split, setting.key, setting.protocol.scale) for marker in markers]
    return max(zip(scores, rates), key=lambda item: (item[0], -item[1]))[1]


def choice_split(markers) -> str:
    """Name of the split that choices among these trainings are made on."""
    return 'tune' if all(marker['result'].get('tune') for marker in markers) else 'val'


def outcomes(plan, done: dict, failed) -> list[Outcome]:
    """Everything that the table shows, one entry per metric."""
    found = []
    for task in plan.options.tasks:
        setting = plan.settings[task]
        protocol = setting.protocol
        reported = {}
        for side in plan.options.sides:
            reported[side] = _reported(plan, task, side, done)
        names = [job.name for side in plan.options.sides for job in plan.jobs(task, side, done)]
        metrics = {protocol.metric: setting.key}
        metrics |= {} if setting.own else protocol.others
        for metric, key in metrics.items():
            sides = {side: _summary(reported[side][0], key, protocol) for side in reported}
            found.append(
                Outcome(
                    task,
                    protocol.title,
                    metric,
                    sides,
                    {side: reported[side][1] for side in reported},
                    () if setting.frozen else setting.rates('pretrained'),
                    _chosen_on(plan, task, done),
                    setting.path.name,
                    setting.deviation(),
                    tuple(name for name in names if name in failed),
                    tuple(name for name in names if name not in done),
                )
            )
    return found


def _reported(plan, task, side, done) -> tuple[list, float | None]:
    """Markers of the runs behind a number, and their learning rate."""
    setting, seeds = plan.settings[task], plan.options.seeds
    if setting.frozen:
        names = [plan.frozen(task, side, seed).name for seed in frozen_seeds(side, seeds)]
        return [done[name] for name in names if name in done], None
    rates = setting.rates(side)
    rate = rates[0]
    if len(rates) > 1:
        rate = choose_rate(setting, side, rates, seeds[0], done)
        if rate is None:
            return [], None
    names = [job_name(task, side, rate, seed) for seed in seeds]
    return [done[name] for name in names if name in done], rate


def _summary(markers, key, protocol) -> Summary | None:
    values = [value(marker, 'val', key, protocol.scale) for marker in markers]
    return summarise(values) if values else None


def _chosen_on(plan, task, done) -> str:
    setting = plan.settings[task]
    if setting.frozen or len(setting.rates('pretrained')) < 2:
        return ''
    seed = plan.options.seeds[0]
    names = [job_name(task, 'pretrained', rate, seed) for rate in setting.rates('pretrained')]
    markers = [done[name] for name in names if name in done]
    return 'tune' if markers and choice_split(markers) == 'tune' else 'the reported split'
