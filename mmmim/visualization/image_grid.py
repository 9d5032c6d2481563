"""Pictures in named columns: one sheet to open, single tiles to show in a page."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INDEX = 'index.json'
_GAP, _MARGIN, _FONT, _LINE, _INK = 6, 14, 15, 20, (30, 30, 30)


@dataclass
class ImageGrid:
    """Rows of pictures under common headings.

    Attributes:
        columns: Heading of each column.
        rows: Per row one uint8 RGB array (H, W, 3) per column; sizes may differ between rows.
        caption: What the pictures show and how to read them.
        notes: One short text per row, may be empty.
        legend: Names and ``#rrggbb`` colours of what is drawn in colour.
    """

    columns: list[str]
    rows: list[list[np.ndarray]]
    caption: str = ''
    notes: list[str] | None = None
    legend: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self):
        widths = {len(row) for row in self.rows}
        if widths - {len(self.columns)}:
            raise ValueError(f'{len(self.columns)} columns, but rows of {sorted(widths)} pictures.')
        if self.notes is None:
            self.notes = [''] * len(self.rows)

    def save(self, folder) -> Path:
        """Write ``sheet.png``, one PNG per tile and, last, the index that :meth:`load` reads."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        names = [[f'{r}_{c}.png' for c in range(len(self.columns))] for r in range(len(self.rows))]
        for row_names, row in zip(names, self.rows):
            for name, picture in zip(row_names, row):
                Image.fromarray(picture).save(folder / name)
        self.sheet().save(folder / 'sheet.png')
        index = dict(columns=self.columns, rows=names, caption=self.caption)
        index.update(notes=self.notes, legend=self.legend)
        (folder / INDEX).write_text(json.dumps(index, indent=1), encoding='utf-8')
        return folder / 'sheet.png'

    @classmethod
    def load(cls, folder) -> ImageGrid:
        folder = Path(folder)
        index = json.loads((folder / INDEX).read_text(encoding='utf-8'))
        rows = [
            [np.asarray(Image.open(folder / name).convert('RGB')) for name in names]
            for names in index.pop('rows')
        ]
        index['legend'] = [tuple(entry) for entry in index['legend']]
        return cls(rows=rows, **index)

    def sheet(self, tile_width: int = 160) -> Image.Image:
        """All pictures on one white page with headings, legend and caption."""
        font = ImageFont.load_default(_FONT)
        width = 2 * _MARGIN + len(self.columns) * (tile_width + _GAP) - _GAP
        heights = [
            max((round(p.shape[0] * tile_width / p.shape[1]) for p in row), default=0)
            for row in self.rows
        ]
        letters = max(int((width - 2 * _MARGIN) / font.getlength('n')), 20)
        words = textwrap.wrap(self.caption, letters)
        legend = _wrap_legend(self.legend, font, width - 2 * _MARGIN)
        top = _MARGIN + _LINE + 4
        below = _LINE * (len(words) + len(legend)) + _MARGIN
        page = Image.new('RGB', (width, top + sum(h + _GAP for h in heights) + below), 'white')
        draw = ImageDraw.Draw(page)
        for index, name in enumerate(self.columns):
            centre = _MARGIN + index * (tile_width + _GAP) + tile_width / 2
            draw.text((centre, _MARGIN), name, fill=_INK, font=font, anchor='ma')
        y = self._paste(page, top, tile_width, heights)
        for line in legend:
            for x, name, colour in line:
                draw.rectangle((_MARGIN + x, y + 3, _MARGIN + x + 12, y + 15), fill=colour)
                draw.text((_MARGIN + x + 18, y), name, fill=_INK, font=font)
            y += _LINE
        for text in words:
            draw.text((_MARGIN, y), text, fill=_INK, font=font)
            y += _LINE
        return page

    def _paste(self, page, y, tile_width, heights) -> int:
        """Paste all rows from ``y`` down; returns where the next thing goes."""
        for row, height in zip(self.rows, heights):
            for index, picture in enumerate(row):
                size = (tile_width, height)
                tile = Image.fromarray(picture).resize(size, _filter(picture, height))
                page.paste(tile, (_MARGIN + index * (tile_width + _GAP), y))
            y += height + _GAP
        return y


def _wrap_legend(legend, font, width) -> list:
    """Lines of ``(x, name, colour)`` that fit ``width``."""
    lines, x = [], width
    for name, colour in legend:
        step = 18 + font.getlength(name) + 18
        if x + step > width:
            lines.append([])
            x = 0
        lines[-1].append((x, name, colour))
        x += step
    return lines


def _filter(picture, height):
    """Small pictures keep their pixels, large ones are smoothed."""
    enlarge = height > picture.shape[0]
    return Image.Resampling.NEAREST if enlarge else Image.Resampling.LANCZOS


def to_uint8(images) -> np.ndarray:
    """Float pictures in [0, 1], (..., 3, H, W) tensor or array, as uint8 (..., H, W, 3)."""
    array = np.moveaxis(np.asarray(images, dtype=np.float32), -3, -1)
    return (np.clip(array, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
