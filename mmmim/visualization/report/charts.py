"""Charts of the report: curves over steps, and means with standard errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from .svg import element, figure, line, nice_ticks, text, tick_text

WIDTH, HEIGHT = 460, 290
LEFT, RIGHT, TOP, BOTTOM = 70, 16, 12, 50
MAX_POINTS = 240
ROW, HEADING, INDENT = 24, 32, 6


class Series(NamedTuple):
    """One curve. ``style`` picks colour and dash pattern, 0 to 7; ``se`` draws a band around it."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0
    se: Sequence[float] | None = None


class Interval(NamedTuple):
    """One mean with its standard error, which may be None."""

    name: str
    mean: float
    se: float | None
    style: int = 0

    @property
    def label(self) -> str:
        return f'{self.mean:.1f}' + ('' if self.se is None else f' ± {self.se:.1f}')


def thin(series: Series, limit: int = MAX_POINTS) -> Series:
    """At most ``limit`` points, each the mean of its bin, without numbers that are not finite."""
    errors = series.se or [0.0] * len(series.x)
    points = [point for point in zip(series.x, series.y, errors) if all(map(_is_number, point))]
    size = max(1, math.ceil(len(points) / limit))
    bins = [points[start : start + size] for start in range(0, len(points), size)]
    x, y, se = ([sum(p[i] for p in part) / len(part) for part in bins] for i in range(3))
    return series._replace(x=x, y=y, se=se if series.se else None)


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def line_chart(
    chart_id: str,
    title: str,
    x_label: str,
    y_label: str,
    series: Sequence[Series],
    from_zero: bool = False,
) -> str:
    """Curves over a common x axis.

    Args:
        chart_id: Unique in the page.
        title: Caption.
        x_label: Quantity and unit of the x axis.
        y_label: Quantity and unit of the y axis.
        series: Curves; empty ones are left out. Where all have a single point, that is a sentence.
        from_zero: Let the y axis start at zero.
    """
    series = [thinned for thinned in map(thin, series) if thinned.x]
    if not series:
        return f'<p class="note">{escape(title)}: nothing was logged.</p>'
    if all(len(item.x) == 1 for item in series):
        return f'<p class="note">{escape(_sentence(title, x_label, y_label, series))}</p>'
    xs = [x for item in series for x in item.x]
    ys = [y for item in series for y in _reach(item)] + ([0.0] if from_zero else [])
    x_ticks, y_ticks = nice_ticks(min(xs), max(xs)), nice_ticks(min(ys), max(ys))
    to_x = _scale((x_ticks[0], x_ticks[-1]), (LEFT, WIDTH - RIGHT))
    to_y = _scale((y_ticks[0], y_ticks[-1]), (HEIGHT - BOTTOM, TOP))
    body = _x_axis(x_ticks, to_x, LEFT, HEIGHT, x_label) + _y_axis(y_ticks, to_y, y_label)
    body += ''.join(_curve(item, to_x, to_y) for item in series)
    ends = '; '.join(f'{item.name}: {item.y[0]:.4g} to {item.y[-1]:.4g}' for item in series)
    entries = [(item.name, item.style) for item in series]
    spoken = f'{y_label} over {x_label}. {ends}.'
    return figure(chart_id, title, spoken, body, (WIDTH, HEIGHT), entries)


def _sentence(title: str, x_label: str, y_label: str, series: Sequence[Series]) -> str:
    places = {f'{item.x[0]:.4g}' for item in series}
    values = '; '.join(
        f'{item.name} {item.y[0]:.4g}' + (f' at {item.x[0]:.4g}' if len(places) > 1 else '')
        for item in series
    )
    place = f'at {places.pop()} ' if len(places) == 1 else 'over '
    return f'{title}, {y_label}: {values}. Measured once, {place}{x_label}.'


def interval_chart(
    chart_id: str, title: str, x_label: str, groups: Sequence[tuple[str, Sequence[Interval]]]
) -> str:
    """Means with error bars of one standard error, a row per interval, grouped under headings."""
    items = [item for _, group in groups for item in group]
    height = TOP + BOTTOM + ROW * len(items) + HEADING * len(groups)
    ticks = nice_ticks(0.0, max([item.mean + (item.se or 0) for item in items] + [1e-6]))
    to_x = _scale((ticks[0], ticks[-1]), (INDENT, WIDTH - RIGHT))
    body, spoken, y = _x_axis(ticks, to_x, INDENT, height, x_label, grid=True), [], TOP
    for heading, group in groups:
        body += text('heading', INDENT, y + 16, heading, 'start')
        y += HEADING
        for item in group:
            body += _interval(item, to_x, y)
            spoken.append(f'{heading}, {item.name}: {item.label}')
            y += ROW
    entries = list({item.name: item.style for item in items}.items())
    return figure(chart_id, title, '; '.join(spoken) + '.', body, (WIDTH, height), entries)


def _reach(item: Series) -> list:
    """All heights that a curve with its band touches."""
    se = item.se or [0.0] * len(item.y)
    return [y + sign * e for y, e in zip(item.y, se) for sign in (-1, 1)]


def _scale(values, pixels):
    (v0, v1), (p0, p1) = values, pixels
    return lambda value: p0 + (p1 - p0) * (value - v0) / ((v1 - v0) or 1)


def _curve(item: Series, to_x, to_y) -> str:
    name = element('title', escape(item.name))
    if len(item.x) == 1:
        cx, cy = to_x(item.x[0]), to_y(item.y[0])
        return element('circle', name, kind=f'dot s{item.style}', cx=cx, cy=cy, r=4)
    points = _points(item.x, item.y, to_x, to_y)
    curve = element('polyline', name, kind=f'line s{item.style}', points=points)
    if not item.se:
        return curve
    low = [y - e for y, e in zip(item.y, item.se)]
    high = [y + e for y, e in zip(item.y, item.se)]
    outline = f'{_points(item.x, low, to_x, to_y)} {_points(item.x[::-1], high[::-1], to_x, to_y)}'
    return element('polygon', kind=f'band s{item.style}', points=outline) + curve


def _points(xs, ys, to_x, to_y) -> str:
    return ' '.join(f'{to_x(x):.1f},{to_y(y):.1f}' for x, y in zip(xs, ys))


def _interval(item: Interval, to_x, y: float) -> str:
    x = start = end = to_x(item.mean)
    parts = [line('stem', INDENT, y, x, y)]
    if item.se is not None:
        start, end = to_x(max(item.mean - item.se, 0)), to_x(item.mean + item.se)
        kind = f'line solid s{item.style}'
        parts.append(line(kind, start, y, end, y))
        parts += [line(kind, at, y - 5, at, y + 5) for at in (start, end)]
    parts.append(element('circle', kind=f'dot s{item.style}', cx=x, cy=float(y), r=5))
    room = end < WIDTH - RIGHT - 100
    at, anchor = (end + 10, 'start') if room else (min(start, x - 5) - 7, 'end')
    parts.append(text('tick value', at, y + 5, item.label, anchor))
    return ''.join(parts)


def _x_axis(ticks, to_x, left, height, label, grid=False) -> str:
    bottom = height - BOTTOM
    parts = [line('base', left, bottom, WIDTH - RIGHT, bottom)]
    for tick in ticks:
        x = to_x(tick)
        parts.append(line('grid', x, TOP if grid else bottom, x, bottom + 5))
        parts.append(text('tick', x, bottom + 20, tick_text(tick)))
    parts.append(text('axis', (left + WIDTH - RIGHT) / 2, height - 6, label))
    return ''.join(parts)


def _y_axis(ticks, to_y, label) -> str:
    parts = []
    for tick in ticks:
        y = to_y(tick)
        parts.append(line('grid', LEFT, y, WIDTH - RIGHT, y))
        parts.append(text('tick', LEFT - 8, y + 5, tick_text(tick), 'end'))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turn = f'rotate(-90 14 {middle:.0f})'
    parts.append(text('axis', 14, middle, label, transform=turn))
    return ''.join(parts)
