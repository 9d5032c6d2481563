"""Blocks of a page: tables, picture grids, lists of facts, code."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from html import escape

from PIL import Image

from mmmim.visualization.image_grid import ImageGrid

_BREAKS = re.compile(r'([._/])(?=[a-zA-Z])')  # where a dotted name may go on in the next line
SMALL = 128  # pixels; below it a picture is shown pixel by pixel


def paragraph(text: str, kind: str = '') -> str:
    attribute = f' class="{kind}"' if kind else ''
    return f'<p{attribute}>{escape(text)}</p>'


def table(head: Sequence[str], body: Sequence, caption: str, n_text: int = 1) -> str:
    """A table; one of many columns, or of text, becomes a list of its rows on a phone.

    What is still too wide scrolls sideways by itself.

    Args:
        head: Column names.
        body: Rows of plain text; a plain string instead of a row is a heading over what follows.
        caption: What the table shows.
        n_text: Number of leading columns with text; the others are numbers.
    """

    def cell(index, content, header):
        tag = 'th' if header or index == 0 else 'td'
        scope = f' scope="{"col" if header else "row"}"' if tag == 'th' else ''
        kind = ' class="num"' if index >= n_text else ''
        name = f' data-name="{escape(head[index])}"' if tag == 'td' and look else ''
        text = _BREAKS.sub(r'\1<wbr>', escape(content)) if look else escape(content)
        return f'<{tag}{scope}{kind}{name}>{text}</{tag}>'

    def row(cells):
        if isinstance(cells, str):
            return f'<tr class="group"><th colspan="{len(head)}">{escape(cells)}</th></tr>'
        return f'<tr>{"".join(cell(i, c, False) for i, c in enumerate(cells))}</tr>'

    look = ' class="stack"' if len(head) > 4 or n_text > 2 else ''
    label = escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table{look}>'
        f'<thead><tr>{"".join(cell(i, c, True) for i, c in enumerate(head))}</tr></thead>'
        f'<tbody>{"".join(map(row, body))}</tbody></table></div>'
        f'<p class="note">{escape(caption)}</p>'
    )


def fold(summary: str, body: str) -> str:
    """HTML folded away under a summary."""
    return f'<details><summary>{escape(summary)}</summary>{body}</details>'


def facts(items: Sequence[tuple[str, str]]) -> str:
    """A list of names and values."""
    entries = ''.join(f'<dt>{escape(n)}</dt><dd>{escape(v)}</dd>' for n, v in items if v)
    return f'<dl>{entries}</dl>'


def code(text: str) -> str:
    """Preformatted text."""
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'


def inline_image(picture) -> str:
    """Data URI of a uint8 RGB array (H, W, 3): exact where it is small, JPEG where it is large."""
    buffer = io.BytesIO()
    if picture.shape[1] < SMALL:
        Image.fromarray(picture).save(buffer, 'PNG', optimize=True)
    else:
        Image.fromarray(picture).save(buffer, 'JPEG', quality=88, subsampling=0, optimize=True)
    kind = 'png' if picture.shape[1] < SMALL else 'jpeg'
    return f'data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}'


def picture(path, title: str, caption: str = '', width: int = 1400) -> str:
    """A picture file as a figure on white paper, made narrower where it is very wide.

    Raises:
        ValueError: If it is no picture.
    """
    try:
        image = Image.open(path).convert('RGB')
    except OSError as error:
        raise ValueError(f'{path} is no picture: {type(error).__name__}.') from error
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)))
    buffer = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(buffer, 'PNG', optimize=True)
    address = f'data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}'
    text = escape(f'{title}. {caption}' if caption else title)
    return (
        f'<figure><div class="plate"><img src="{address}" alt="{text}" width="{image.width}" '
        f'height="{image.height}"></div><figcaption>{text}</figcaption></figure>'
    )


def picture_grid(grid: ImageGrid, tile_width: int = 150) -> str:
    """Pictures under their headings, with the caption below; small ones keep their pixels."""
    columns = len(grid.columns)
    kind = 'pictures pixels' if grid.rows and grid.rows[0][0].shape[1] < SMALL else 'pictures'
    width = columns * (tile_width + 4)
    cells = [f'<div class="head">{escape(name)}</div>' for name in grid.columns]
    for number, (row, note) in enumerate(zip(grid.rows, grid.notes), start=1):
        if note:
            cells.append(f'<div class="row-note">{escape(note)}</div>')
        for name, picture in zip(grid.columns, row):
            height, wide = picture.shape[:2]
            alt = escape(f'Image {number}, {name}')
            cells.append(
                f'<img src="{inline_image(picture)}" alt="{alt}" width="{wide}" height="{height}">'
            )
    chips = ''.join(
        f'<li><span class="chip" style="background:{escape(c)}"></span>{escape(n)}</li>'
        for n, c in grid.legend
    )
    chips = f'<ul class="legend">{chips}</ul>' if chips else ''
    style = f'grid-template-columns:repeat({columns},1fr);--grid-width:{width}px'
    return (
        f'<figure><div class="{kind}" style="{style}">{"".join(cells)}</div>'
        f'{chips}<figcaption>{escape(grid.caption)}</figcaption></figure>'
    )
