"""What was run: the table of runs, what differs between them, and the record of each."""

from __future__ import annotations

import math

from mmmim.jobs.progress import clock
from mmmim.visualization.report.blocks import code, facts, fold, paragraph, table

from .runs import Run

LONGEST = 90  # characters of a value
NO_RECORD = (
    'The run wrote no run.json (mmmim.RunRecordHook in configs/_base_/default_runtime.py): its '
    'command, versions and hardware are unknown.'
)
# Where things lie and how they are shown, not what is computed; variables of the config files.
_PLACES = (
    *('work_dir', 'default_hooks', 'env_cfg', 'log_', 'load_from', 'resume', 'launcher', 'vis'),
    *('arch.', 'corruption.'),
)


def runs_section(runs: list[Run], problems: list[str]) -> str:
    """One row per run, and sentences about what could not be read."""
    head = ('Run', 'Task', 'State', 'Length', 'Images seen', 'Last loss', 'Time')
    body = [_row(run) for run in runs]
    listed = ''.join(paragraph(problem, 'note warn') for problem in problems)
    caption = 'Images seen: thousands, over all processes. Time: wall time, of starts that ended.'
    return listed + (table(head, body, caption, n_text=3) if runs else '')


def _row(run: Run) -> tuple:
    last = run.steps[-1] if run.steps else {}
    seen = run.images_per_step and last and last['step'] * run.images_per_step / 1000
    record = run.record
    return (
        run.name,
        run.kind,
        run.state,
        f'{record["length"]:,} {record["unit"]}' if 'length' in record else _planned(run),
        f'{seen:,.0f}' if seen else '',
        f'{last["loss"]:.4f}' if last else '',
        clock(run.seconds) if run.seconds else '',
    )


def _planned(run: Run) -> str:
    for key, unit in (('max_epochs', 'epochs'), ('max_iters', 'iterations')):
        value = run.value(f'train_cfg.{key}')
        if value:
            return f'{value:,} {unit}'
    return ''


def differences_section(runs: list[Run]) -> str:
    """Keys of the configs that differ between the runs."""
    known = [run for run in runs if run.config]
    if len(known) < 2:
        return ''
    keys = sorted({key for run in known for key in run.config if not key.startswith(_PLACES)})
    body = []
    for key in keys:
        values = [run.config.get(key, '') for run in known]
        if len(set(values)) > 1:
            body.append((key, *map(_short, values)))
    if not body:
        return paragraph('The configs of all runs compute the same.', 'note')
    caption = 'Settings that differ between the runs; empty where a config has no such key.'
    return table(('Setting', *(run.name for run in known)), body, caption, n_text=1 + len(known))


def _short(value: str) -> str:
    value = value.strip('"')
    return value if len(value) <= LONGEST else f'{value[: LONGEST - 3]}...'


def record_section(runs: list[Run]) -> str:
    """Per run its command, machine, versions and the config against its bases."""
    return ''.join(fold(f'{run.name}: what was run', _record(run)) for run in runs)


def _record(run: Run) -> str:
    record = run.record
    if not record:
        return paragraph(NO_RECORD, 'note') + facts([('Work directory', str(run.path))])
    factors = [record[key] for key in ('processes', 'batch_size', 'accumulation')]
    effective = str(math.prod(factors)) if all(factors) else ''
    items = [
        ('Work directory', str(run.path)),
        ('Config', record.get('config') or 'made in Python'),
        ('Started', record.get('started') or ''),
        ('Ended', record.get('ended') or 'not yet, or killed'),
        ('Starts', f'{len(run.records)}, resumed' if len(run.records) > 1 else ''),
        ('Code', record.get('code') or ''),
        ('Hardware', record.get('hardware') or ''),
        ('Batch', effective and f'{" x ".join(map(str, factors))} = {effective}'),
        ('Images', f'{record["images"]:,}'),
        ('Versions', ', '.join(f'{name} {v}' for name, v in record['versions'].items())),
    ]
    changes = [(key, _short(before), _short(now)) for key, before, now in record['changes']]
    names = ', '.join(record['bases']) or 'nothing'
    caption = f'The config as it ran against the files it is based on ({names}).'
    head = ('Setting', 'Base', 'This run')
    return code(record['command']) + facts(items) + table(head, changes, caption, n_text=3)
