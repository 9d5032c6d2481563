"""The page of results, and its plot."""

from pathlib import Path

from .rows import TIERS, rows_for

HEAD = """# Benchmarks

Written by `python tools/benchmarks/run.py`; edits are lost. What the numbers mean and how they are
taken: [performance](../performance.md). A ratio is the time of a contestant over that of the first
of its row, within one round: median (smallest to largest) over the rounds. MFU is the share of the
rate of a large matrix product of the same dtype, the best met by any row. Memory is the peak of
the process (GPU: of its tensors); in brackets what the steps added to what was there before.
"""
DEVICES = dict(cpu='CPU', cuda='GPU')


def write_page(path: Path, results: dict[str, dict]) -> None:
    """Write the page.

    Args:
        path: Of the Markdown file.
        results: {'cpu' or 'cuda': {row: result}}.
    """
    parts = [HEAD]
    for device, title in DEVICES.items():
        rows = results.get(device, {})
        parts.append(f'## {title}\n')
        if not rows:
            why = ': none could be had' if device == 'cuda' else ''
            parts.append(f'Nothing measured yet{why}.\n')
        elif (path.parent / f'benchmarks_{device}.png').exists():
            parts.append(f'![Ratios of all rows](benchmarks_{device}.png)\n')
        if (path.parent / f'growth_{device}.png').exists():
            text = 'Time and memory of the MAE step over batch, image and depth'
            parts.append(f'![{text}](growth_{device}.png)\n')
        parts += [_tier(tier, device, rows) for tier in TIERS]
    path.write_text('\n'.join(part for part in parts if part))


def _tier(tier, device, results) -> str:
    rows = [row for row in rows_for(device) if row.tier == tier]
    if not rows:
        return ''
    lines = [f'### {tier}: {TIERS[tier]}\n']
    for row in rows:
        lines += _row(row, results.get(row.name))
    return '\n'.join(lines)


def _row(row, result) -> list[str]:
    lines = [f'**{row.title}** (`{row.name}`)']
    if result is None:
        return [*lines, 'is not measured.\n']
    how = result['how']
    rates = result['calibration']
    lines.append(
        f'{result["machine"]["hardware"]}, {result["machine"]["date"]}; batch {how["batch"]}, '
        f'{how["rounds"]} rounds of {how["steps"]} steps, {how["threads"]} thread(s); matrix '
        f'product {rates["fp32"]:.0f} GFLOP/s in fp32, {rates["bf16"]:.0f} in bf16.\n'
    )
    last = 'time / FLOPs' if row.costs else 'goal'
    lines.append(f'| | dtype | images/s | ratio | CPU-time ratio | MFU | peak MiB | {last} |')
    lines.append('|---|---|---:|---:|---:|---:|---:|---|')
    lines += [_line(row, name, one) for name, one in result['contestants'].items()]
    return [*lines, '']


def _line(row, name, one) -> str:
    if 'note' in one:
        return f'| {name} | {one["dtype"]} | {_cell(one["note"])} | | | | | |'
    mfu = '' if one['mfu'] is None else f'{one["mfu"]:.0%}'
    memory = f'{one["peak_mib"]:.0f} (+{one["peak_mib"] - one["before_mib"]:.0f})'
    cells = [
        name,
        one['dtype'],
        f'{one["images_per_second"]:.3g}',
        _ratio(one['ratio']),
        _ratio(one['cpu_ratio']),
        mfu,
        memory,
        _goal(row, one),
    ]
    return '| ' + ' | '.join(cells) + ' |'


def _cell(text) -> str:
    return text.replace('|', '/').replace('\n', ' ')


def _ratio(value) -> str:
    middle, low, high = value
    return f'{middle:.2f} ({low:.2f} to {high:.2f})'


def _goal(row, one) -> str:
    words = []
    if row.costs and one.get('flop_ratio'):
        words.append(f'{one["ratio"][0] / one["flop_ratio"]:.2f} at {one["flop_ratio"]:.2f}x FLOPs')
    if one['goal']:
        kind, number = one['goal']
        words.append(f'{kind} {number}: {one["verdict"]}')
    if one.get('memory_goal'):
        words.append(memory(one))
    return '; '.join(words)


def memory(one) -> str:
    """'memory 1.50x, at least 1.67: missed'."""
    kind, number = one['memory_goal']
    value = one['memory_ratio']
    met = value >= number if kind == 'at least' else value <= number
    return f'memory {value:.2f}x, {kind} {number}: {"met" if met else "missed"}'


def draw(path: Path, rows: dict) -> None:
    """One bar per comparison, on a logarithmic axis; lines from the smallest to the largest."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    bars = [
        (f'{name}: {contestant} ({one["dtype"]})', one)
        for name, result in rows.items()
        for contestant, one in list(result['contestants'].items())[1:]
        if 'ratio' in one
    ]
    if not bars:
        return
    figure, axes = pyplot.subplots(figsize=(8, 1.2 + 0.28 * len(bars)), layout='constrained')
    for place, (_, one) in enumerate(bars):
        middle, low, high = one['ratio']
        axes.barh(place, middle, color='#4c72b0' if middle >= 1 else '#c44e52', height=0.7)
        axes.plot([low, high], [place, place], color='black', linewidth=1.5)
        if one['goal']:
            axes.plot([one['goal'][1]], [place], marker='|', color='#dd8452', markersize=14)
    axes.set_yticks(range(len(bars)), [label for label, _ in bars])
    axes.invert_yaxis()
    axes.set_xscale('log')
    axes.set_xticks([0.5, 1, 2, 3, 5], ['0.5', '1', '2', '3', '5'])
    axes.minorticks_off()
    axes.axvline(1, color='grey', linewidth=1)
    axes.set_xlabel('time over that of the first of the row (line: rounds; mark: goal)')
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
