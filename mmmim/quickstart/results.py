"""From the markers of finished jobs to results.json, the table in the terminal and its details."""

from __future__ import annotations

import json
import textwrap
from typing import NamedTuple

from mmmim.analysis.statistics import Difference, Summary, difference, summarise

from .recipes import SIDES


class Outcome(NamedTuple):
    """One task, both sides.

    Attributes:
        task: The recipe.
        sides: Side to :class:`Summary` of the headline metric on the validation split.
        gain: Pretrained minus scratch.
        lrs: Side to the learning rate that was used.
        others: Further metric name to side to :class:`Summary`.
        tune: Side to learning rate to :class:`Summary` on the tune split; empty in a quick run.
    """

    task: object
    sides: dict[str, Summary]
    gain: Difference
    lrs: dict[str, float]
    others: dict[str, dict[str, Summary]]
    tune: dict[str, dict[float, Summary]]


def job_name(task, side, lr, seed) -> str:
    return f'{task.key}-{side}-lr{lr:g}-s{seed}'


def metric(markers, name, split, key, scale) -> float:
    """A metric in per cent.

    Raises:
        ValueError: If the job ``name`` did not report ``key`` on ``split``.
    """
    metrics = markers[name]['result'].get(split) or {}
    if key not in metrics:
        known = ', '.join(sorted(metrics)) or 'nothing'
        raise ValueError(f'Job {name} has no metric {key!r} on the {split} split (it has {known}).')
    return scale * metrics[key]


def choose_lr(task, side, markers, lrs, seeds) -> tuple[float, dict]:
    """The learning rate with the best mean over seeds on the tune split, and the whole grid.

    A draw goes to the smaller learning rate.
    """
    tune = {}
    for lr in sorted(lrs):
        names = [job_name(task, side, lr, seed) for seed in seeds]
        tune[lr] = summarise(
            [metric(markers, name, 'tune', task.metric_key, task.scale) for name in names]
        )
    return max(tune, key=lambda lr: (tune[lr].mean, -lr)), tune


def outcome(task, markers, plan) -> Outcome:
    """Summarise one task.

    Args:
        task: The recipe.
        markers: Markers by job name.
        plan: Gives ``seeds``, ``full`` and ``lrs(task, side)``.
    """
    lrs, tune = {}, {}
    for side in SIDES:
        candidates = plan.lrs(task, side)
        if plan.full:
            lrs[side], tune[side] = choose_lr(task, side, markers, candidates, plan.seeds[:1])
        else:
            (lrs[side],) = candidates

    def over_seeds(side, key, scale):
        names = [job_name(task, side, lrs[side], seed) for seed in plan.seeds]
        return summarise([metric(markers, name, 'val', key, scale) for name in names])

    sides = {side: over_seeds(side, task.metric_key, task.scale) for side in SIDES}
    others = {
        name: {side: over_seeds(side, key, task.scale) for side in SIDES}
        for name, key in task.others.items()
    }
    gain = difference(sides['pretrained'], sides['scratch'])
    return Outcome(task, sides, gain, lrs, others, tune)


def results_json(outcomes) -> str:
    """The text of results.json: per task the metric and, per side, mean, se and values by seed."""
    return json.dumps(
        {
            item.task.key: dict(
                metric=item.task.metric,
                **{side: _rounded(item.sides[side].as_dict()) for side in SIDES},
            )
            for item in outcomes
        },
        indent=2,
    )


def details_json(outcomes, **extra) -> str:
    """What results.json leaves out: differences, learning rates, the tune grid, other metrics."""
    tasks = {
        item.task.key: dict(
            config=item.task.config,
            gain=_rounded(item.gain._asdict()),
            lrs=item.lrs,
            others={
                name: {side: _rounded(sides[side].as_dict()) for side in SIDES}
                for name, sides in item.others.items()
            },
            tune={
                side: {f'{lr:g}': _rounded(summary.as_dict()) for lr, summary in grid.items()}
                for side, grid in item.tune.items()
            },
        )
        for item in outcomes
    }
    return json.dumps(dict(extra, tasks=tasks), indent=2)


def _rounded(values: dict) -> dict:
    def short(value):
        if isinstance(value, list):
            return [short(item) for item in value]
        return round(value, 4) if isinstance(value, float) else value

    return {key: short(value) for key, value in values.items()}


def number(summary: Summary) -> str:
    """``'45.3 ± 0.4'``, or ``'45.3'`` for a single run."""
    return f'{summary.mean:.1f}' + (f' ± {summary.se:.1f}' if summary.se is not None else '')


def verdict(gain: Difference) -> str:
    """Whether a gain is established, and by how much it had to exceed zero."""
    if gain.threshold is None:
        return 'one seed'
    return f'{"yes" if gain.separated else "no"} > {gain.threshold:.1f}'


def rows(outcomes) -> list[tuple]:
    """Rows of the table: task, metric, both sides, gain, verdict; then the further metrics."""
    table = []
    for item in outcomes:
        metrics = {item.task.metric: item.sides, **item.others}
        for index, (name, sides) in enumerate(metrics.items()):
            gain = difference(sides['pretrained'], sides['scratch'])
            table.append(
                (
                    '' if index else item.task.title,
                    name,
                    *(number(sides[side]) for side in SIDES),
                    f'{gain.value:+.1f}',
                    verdict(gain),
                )
            )
    return table


def table_text(outcomes, n_seeds) -> str:
    """The table, at most 79 columns, with one line on how to read it."""
    head = ('Task', 'Metric', *(side.capitalize() for side in SIDES), 'Gain', '> 2 SE')
    columns = len(head) if n_seeds > 1 else len(head) - 1
    head, body = head[:columns], [row[:columns] for row in rows(outcomes)]
    widths = [max(len(row[column]) for row in (head, *body)) for column in range(len(head))]

    def line(row):
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        return '  '.join(cells).rstrip()

    rule = '-' * (sum(widths) + 2 * (len(widths) - 1))
    return '\n'.join(
        [line(head), rule, *map(line, body), rule, textwrap.fill(reading(n_seeds), 79)]
    )


def table_markdown(outcomes, n_seeds) -> str:
    """The same table for a README."""
    head = ('Task', 'Metric', *(side.capitalize() for side in SIDES), 'Gain', '> 2 SE')
    columns = len(head) if n_seeds > 1 else len(head) - 1
    lines = [head, ['---', '---', *['---:'] * (columns - 2)], *rows(outcomes)]
    table = '\n'.join(f'| {" | ".join(line[:columns])} |' for line in lines)
    return f'{table}\n\n{reading(n_seeds)}'


def reading(n_seeds: int) -> str:
    """How to read the numbers."""
    away = 'Away: scenes whose shape does not wear its home texture.'
    if n_seeds == 1:
        return (
            'Validation split, one seed: no standard error. `--full` repeats everything with '
            f'three seeds, learning rates chosen on the tune split. {away}'
        )
    return (
        f'Validation split, mean ± standard error over {n_seeds} seeds, each with its own '
        'pre-training; learning rates chosen on the tune split. A gain counts when it is above '
        f'twice the combined standard error. {away}'
    )
