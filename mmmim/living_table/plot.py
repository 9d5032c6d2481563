"""One panel per protocol: a dot with its standard error for each row, scratch as a line."""

from __future__ import annotations

import os
from pathlib import Path

from .methods import GROUPS, SCRATCH
from .options import PROTOCOLS
from .statements import MISSING, protocol_title

COLOURS = {
    'reference': '#565d66',
    'papers': '#0b62b8',
    'baselines': '#c2500a',
    'images': '#2c7a4b',
    'mixtures': '#7c3aa8',
}
INK, RULE, PAPER = '#1d2125', '#d5d6d2', '#ffffff'
SMALL = dict(color='#6b7178', fontsize=7.5, va='center', ha='right')
ROW_HEIGHT, PANEL_WIDTH, LABEL_WIDTH = 0.27, 2.9, 3.6  # inches


def draw(rows, path) -> bool:
    """Write the plot; whether there was anything to draw."""
    protocols = [name for name in PROTOCOLS if any(row.scores[name] for row in rows)]
    shown = [row for row in rows if row.method.name != SCRATCH]
    if not protocols:
        return False
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = (LABEL_WIDTH + PANEL_WIDTH * len(protocols), 1.5 + ROW_HEIGHT * len(shown))
    figure = Figure(figsize=size, facecolor=PAPER, layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(protocols), sharey=True, squeeze=False)[0]
    scratch = next((row for row in rows if row.method.name == SCRATCH), None)
    for panel, protocol in zip(panels, protocols):
        _panel(panel, shown, scratch, protocol)
    panels[0].set_yticks(range(len(shown)), [row.method.title for row in shown], fontsize=9)
    panels[0].set_ylim(len(shown) - 0.4, -0.6)
    for label, row in zip(panels[0].get_yticklabels(), shown):
        label.set_color(COLOURS[row.method.group])
    _legend(figure, shown)
    _save(figure, Path(path))
    return True


def _panel(panel, rows, scratch, protocol: str) -> None:
    panel.set_facecolor(PAPER)
    panel.grid(axis='x', color=RULE, linewidth=0.8)
    panel.grid(axis='y', color=RULE, linewidth=0.5, linestyle=':')
    panel.set_axisbelow(True)
    panel.tick_params(colors=INK, labelsize=9, length=0)
    for side in ('top', 'right', 'left'):
        panel.spines[side].set_visible(False)
    line = scratch and scratch.scores[protocol]
    if line:
        reach = line.se or 0
        panel.axvspan(line.mean - reach, line.mean + reach, color=COLOURS['reference'], alpha=0.18)
        panel.axvline(line.mean, color=COLOURS['reference'], linestyle='--', linewidth=1.3)
    for index, row in enumerate(rows):
        found = row.scores[protocol]
        if found is None:
            panel.text(0.985, index, MISSING, transform=panel.get_yaxis_transform(), **SMALL)
            continue
        colour = COLOURS[row.method.group]
        face = colour if found.se is not None else PAPER
        panel.errorbar(
            *(found.mean, index),
            xerr=found.se,
            fmt='o',
            color=colour,
            markerfacecolor=face,
            markersize=5.5,
            capsize=3,
            elinewidth=1.6,
        )
    panel.margins(x=0.06)
    panel.set_xlim(left=0)
    title = protocol_title(protocol).split(',')[0]
    metric = dict(det='mask mAP', seg='mIoU').get(protocol, 'top-1')
    names = dict(ft='Fine-tuned', knn='k-NN, frozen', lin='Linear, frozen')
    panel.set_title(names.get(protocol, title), fontsize=11, color=INK)
    panel.set_xlabel(f'{metric} (%), val', fontsize=10, color=INK)


def _legend(figure, rows) -> None:
    from matplotlib.lines import Line2D

    groups = dict.fromkeys(row.method.group for row in rows)
    marks = [
        Line2D([], [], marker='o', linestyle='', color=COLOURS[group], label=GROUPS[group])
        for group in groups
    ]
    hollow = Line2D([], [], marker='o', linestyle='', color=INK, markerfacecolor=PAPER)
    hollow.set_label('one seed')
    line = Line2D([], [], color=COLOURS['reference'], linestyle='--', label='random initialisation')
    figure.legend(
        handles=[*marks, hollow, line],
        loc='outside lower center',
        ncols=min(len(marks) + 2, 4),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )


def _save(figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    figure.savefig(partial, format='png', dpi=110, metadata={'Software': None})
    os.replace(partial, path)
