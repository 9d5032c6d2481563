"""How time and memory of our MAE step grow with the batch, the image and the depth."""

import dataclasses
from pathlib import Path

from . import conductor
from .record import machine, per_image
from .rows import Contestant
from .settings import Setting
from .turns import available_mib

SWEEPS = {
    'batch': ('images per step', (1, 2, 4, 8, 16, 32, 64), 'batch'),
    'side': ('side of the image (px), batch 1', (64, 128, 224, 384, 512, 768, 1024), 'side'),
    'depth': ('blocks of the encoder, batch 4', (2, 4, 8, 12, 24), 'depth'),
}
BATCHES = dict(side=1, depth=4)
GUESS_MIB = 1100  # weights and libraries of ViT-B
PER_IMAGE_MIB = 45  # at 224 px in bf16


def settings(sweep: str, base: Setting) -> list[Setting]:
    """One per point."""
    _, values, field = SWEEPS[sweep]
    batch = BATCHES.get(sweep, base.batch)
    return [dataclasses.replace(base, **{'batch': batch, field: value}) for value in values]


def fits(setting: Setting) -> bool:
    """Whether a point is likely to fit into half of the free memory, leaving room for others."""
    if setting.device != 'cpu':
        return True
    cells = (setting.sizes['size'] / 224) ** 2
    needed = GUESS_MIB + setting.batch * PER_IMAGE_MIB * cells * (1 + cells / 8)
    return needed < available_mib() / 2


def measure(sweep, base, rounds, threads, logs: Path, say=print) -> list[dict]:
    """A process per point, one after the other; the first step of each is not counted."""
    points = []
    for setting in settings(sweep, base):
        value = getattr(setting, SWEEPS[sweep][2])
        if not fits(setting):
            points.append(dict(value=value, note='not measured: it might not fit into memory'))
            say(f'  {sweep} {value}: might not fit into memory')
            continue
        one = Contestant('mmmim', 'steps:mae_mmmim', setting.dtype)
        workers, absent = conductor.start(
            [one], lambda _, s=setting: s, logs, f'{sweep}_{value}', threads
        )
        if absent:
            points.append(dict(value=value, note=absent['mmmim']))
            say(f'  {sweep} {value}: {absent["mmmim"]}')
            continue
        try:
            result = conductor.play(workers, rounds, 1, 1, say=lambda line: None)['mmmim']
        finally:
            workers['mmmim'].stop()
        seconds = min(per_image(result['rounds'], 'seconds'))
        points.append(
            dict(
                value=value,
                seconds_per_image=seconds,
                gflop_per_image=result['flops_per_image'] / 1e9,
                step_mib=result['peak_mib'] - result['before_mib'],
                batch=setting.batch,
            )
        )
        say(
            f'  {sweep} {value}: {seconds * 1e3:.0f} ms and '
            f'{points[-1]["gflop_per_image"]:.0f} GFLOP an image, {points[-1]["step_mib"]:.0f} MiB'
        )
    return points


def record(sweeps: dict, base: Setting, threads: int) -> dict:
    return dict(
        sweeps=sweeps, dtype=base.dtype, arch=base.arch, threads=threads, **machine(base.device)
    )


def draw(path: Path, result: dict) -> None:
    """Time per image, with what the FLOPs alone would give from the first point on; and memory."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    sweeps = result['sweeps']
    figure, axes = pyplot.subplots(
        2, len(sweeps), figsize=(3.6 * len(sweeps), 6), layout='constrained', squeeze=False
    )
    for column, (sweep, points) in enumerate(sweeps.items()):
        points = [point for point in points if 'note' not in point]
        if not points:
            continue
        values = [point['value'] for point in points]
        time = [1e3 * point['seconds_per_image'] for point in points]
        best = min(t / point['gflop_per_image'] for t, point in zip(time, points))
        flops = [best * point['gflop_per_image'] for point in points]
        above, below = axes[:, column]
        above.plot(values, time, 'o-', label='measured')
        above.plot(values, flops, '--', color='grey', label='FLOPs at the best rate here')
        above.set_ylabel('ms per image')
        below.plot(values, [point['step_mib'] for point in points], 'o-', color='#c44e52')
        below.set_ylabel('memory of the step (MiB)')
        for axis in (above, below):
            axis.set_xscale('log', base=2)
            axis.set_yscale('log')
            axis.set_xticks(values, [str(value) for value in values], fontsize=8)
            axis.minorticks_off()
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
            axis.yaxis.set_major_formatter(StrMethodFormatter('{x:g}'))
            axis.set_xlabel(SWEEPS[sweep][0])
        above.legend(fontsize=8)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
