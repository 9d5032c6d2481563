"""Results of rows: from turns to numbers, and the file that keeps them."""

import datetime
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from statistics import median

from .statistics import ratio, verdict

PACKAGES = (
    'torch onedl-mmpretrain mmpretrain onedl-mmengine mmengine onedl-mmsegmentation '
    'mmsegmentation transformers lightly timm'
).split()


def summarize(row, results: dict, absent: dict, rates: dict) -> dict:
    """Numbers of one row.

    Args:
        row (Row): What was measured.
        results (dict): Of :func:`suite.conductor.play`.
        absent (dict): {contestant: why it has no numbers}.
        rates (dict): Of :func:`suite.calibrate.calibrate`.

    Returns:
        {contestant: dict(dtype, note) or dict(dtype, images_per_second, ratio, cpu_ratio, ...)}.
    """
    reference = row.contestants[0].name
    found = {}
    for one in row.contestants:
        name = one.name
        if name in absent or reference not in results or name not in results:
            note = absent.get(name, 'not compared: the reference has no numbers')
            found[name] = dict(dtype=one.dtype, note=note)
            continue
        found[name] = numbers(one, results[name], results[reference], rates)
        found[name]['verdict'] = verdict_of(row, name, results, reference)
        found[name]['goal'] = row.goals.get(name)
        found[name]['memory_goal'] = row.memory.get(name)
    return found


def numbers(one, result, reference, rates) -> dict:
    """Speed, ratios, work and memory of one contestant."""
    turns = result['rounds']
    speed = median(turn['images'] / turn['seconds'] for turn in turns)
    flops = result['flops_per_image']
    rate = rates.get(one.dtype)
    return dict(
        dtype=one.dtype,
        images_per_second=speed,
        ratio=ratio(per_image(turns, 'seconds'), per_image(reference['rounds'], 'seconds')),
        cpu_ratio=ratio(
            per_image(turns, 'cpu_seconds'), per_image(reference['rounds'], 'cpu_seconds')
        ),
        gflop_per_image=flops / 1e9,
        flop_ratio=flops / reference['flops_per_image'] if reference['flops_per_image'] else None,
        mfu=flops * speed / 1e9 / rate if rate and flops else None,
        memory_ratio=result['peak_mib'] / reference['peak_mib'],
        peak_mib=result['peak_mib'],
        before_mib=result['before_mib'],
        rounds=turns,
    )


def fastest(calibrations: list[dict]) -> dict:
    """The best of several, rate by rate: other work can only slow one down."""
    return {name: max(one[name] for one in calibrations) for name in calibrations[0]}


def share_calibration(rows: dict) -> None:
    """One calibration for all rows of a machine and number of threads, the best that any of them
    met, and MFUs by it; in place."""
    groups = {}
    for row in rows.values():
        groups.setdefault((row['machine']['hardware'], row['how']['threads']), []).append(row)
    for group in groups.values():
        rates = fastest([row['calibration'] for row in group])
        for row in group:
            row['calibration'] = rates
            for one in row['contestants'].values():
                if one.get('mfu') and one['dtype'] in rates:
                    work = one['gflop_per_image'] * one['images_per_second']
                    one['mfu'] = work / rates[one['dtype']]


def verdict_of(row, name, results, reference) -> str:
    times = [per_image(results[key]['rounds'], 'seconds') for key in (name, reference)]
    return verdict(ratio(*times), row.goals.get(name))


def per_image(turns, key) -> list[float]:
    return [turn[key] / turn['images'] for turn in turns]


def machine(device: str) -> dict:
    """Hardware and versions."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if device == 'cuda':
        import torch

        hardware = torch.cuda.get_device_name()
    else:
        hardware = f'{processor()}, {os.cpu_count()} logical cores'
    return dict(
        hardware=hardware,
        python=platform.python_version(),
        versions=versions,
        date=datetime.date.today().isoformat(),
    )


def processor() -> str:
    """Its name, as Linux tells it."""
    try:
        with open('/proc/cpuinfo') as file:
            names = [line.split(':')[1].strip() for line in file if line.startswith('model name')]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def load(path: Path) -> dict:
    """{row: result} of earlier runs."""
    return json.loads(path.read_text())['rows'] if path.exists() else {}


def save(path: Path, rows: dict) -> None:
    """Write all rows, those of earlier runs too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix('.part')
    temporary.write_text(json.dumps(dict(rows=rows), indent=1) + '\n')
    temporary.replace(path)
