"""The few SVG elements that charts are made of, coloured by the page's style sheet."""

from __future__ import annotations

import math
from html import escape


def element(tag: str, content: str = '', **attributes) -> str:
    """``element('line', x1=1, kind='grid')``: numbers to one digit, ``kind`` is the class."""
    parts = [tag]
    for name, value in attributes.items():
        name = {'kind': 'class'}.get(name, name.replace('_', '-'))
        text = f'{value:.1f}' if isinstance(value, float) else escape(str(value))
        parts.append(f'{name}="{text}"')
    return f'<{" ".join(parts)}>{content}</{tag}>'


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return element('line', kind=kind, x1=x1, y1=y1, x2=x2, y2=y2)


def text(kind: str, x: float, y: float, content: str, anchor: str = 'middle', **more) -> str:
    return element('text', escape(content), kind=kind, x=x, y=y, text_anchor=anchor, **more)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers that cover ``[low, high]``, steps of 1, 2 or 5 times a power of ten."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / max(count - 1, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def tick_text(value: float) -> str:
    """Short text of a tick: ``'0.5'``, ``'20k'``, ``'1e-4'``."""
    if value and abs(value) < 1e-2:
        return f'{value:.1e}'.replace('.0e', 'e').replace('e-0', 'e-')
    return f'{value / 1000:g}k' if abs(value) >= 10000 else f'{value:g}'


def legend(entries) -> str:
    """A list of samples and names; ``entries`` are pairs of name and style number."""
    if len(entries) < 2:
        return ''
    items = []
    for name, style in entries:
        sample = element(
            'svg', line(f'line s{style}', 1, 5, 25, 5), viewBox='0 0 26 10', aria_hidden='true'
        )
        items.append(f'<li>{sample}{escape(name)}</li>')
    return f'<ul class="legend">{"".join(items)}</ul>'


def figure(chart_id: str, title: str, description: str, body: str, size, entries=()) -> str:
    """A figure with caption, legend and a drawing that is read out as ``description``."""
    width, height = size
    head = element('title', escape(title), id=f'{chart_id}-t')
    head += element('desc', escape(description), id=f'{chart_id}-d')
    drawing = element(
        'svg',
        head + body,
        viewBox=f'0 0 {width} {height}',
        role='img',
        aria_labelledby=f'{chart_id}-t {chart_id}-d',
    )
    caption = f'<figcaption>{escape(title)}</figcaption>'
    return f'<figure class="chart">{caption}{legend(entries)}{drawing}</figure>'
