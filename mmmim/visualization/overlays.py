"""Instances and label maps drawn on pictures, with NumPy and PIL alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Eight hues of like strength that stay apart for most colour-blind readers (after Okabe and Ito),
# then darker copies; a class beyond those repeats them.
_BASE = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (150, 150, 150),
)
PALETTE = np.array(_BASE + tuple(tuple(c * 6 // 10 for c in rgb) for rgb in _BASE), np.uint8)
FONT = 15


def colour(label: int) -> tuple:
    """RGB of a class."""
    return tuple(int(value) for value in PALETTE[label % len(PALETTE)])


def hex_colour(label: int) -> str:
    return '#{:02x}{:02x}{:02x}'.format(*colour(label))


def enlarge(picture: np.ndarray, factor: int) -> np.ndarray:
    """Smoothly enlarged uint8 RGB (H, W, 3)."""
    height, width = picture.shape[:2]
    size = (width * factor, height * factor)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def outline(mask: np.ndarray, thickness: int = 2) -> np.ndarray:
    """Pixels of a bool mask (H, W) within ``thickness`` of its edge, image border included."""
    inner = np.pad(mask, thickness)
    eroded = mask.copy()
    for shift in range(1, thickness + 1):
        for axis in (0, 1):
            for sign in (shift, -shift):
                moved = np.roll(inner, sign, axis)[thickness:-thickness, thickness:-thickness]
                eroded &= moved
    return mask & ~eroded


def draw_instances(
    picture: np.ndarray,
    masks: np.ndarray,
    labels: Sequence[int],
    names: Sequence[str],
    scores: Sequence[float] | None = None,
    factor: int = 4,
) -> np.ndarray:
    """Filled masks with outline and name.

    Args:
        picture: (H, W, 3) uint8 RGB.
        masks: (K, H, W) bool.
        labels: Class of each mask.
        names: Name of each class.
        scores: Written behind the name.
        factor: How much larger the drawing is than ``picture``.

    Returns:
        (factor * H, factor * W, 3) uint8.
    """
    canvas = enlarge(picture, factor).astype(np.float32)
    large = [np.kron(np.asarray(mask, bool), np.ones((factor, factor), bool)) for mask in masks]
    for mask, label in zip(large, labels):
        rgb = np.array(colour(label), np.float32)
        canvas[mask] = 0.6 * canvas[mask] + 0.4 * rgb
        canvas[outline(mask)] = rgb
    page = Image.fromarray(canvas.round().astype(np.uint8))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(FONT)
    for index, (mask, label) in enumerate(zip(large, labels)):
        if not mask.any():
            continue
        score = '' if scores is None else f' {scores[index]:.2f}'.replace(' 0.', ' .')
        _tag(draw, font, page.size, mask, names[label] + score, colour(label))
    return np.asarray(page)


def _tag(draw, font, size, mask, text, rgb) -> None:
    """A name in a box at the upper left end of a mask, kept inside the picture."""
    rows, columns = np.nonzero(mask)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 6, bottom - top + 6
    x = int(min(max(columns.min(), 0), size[0] - width))
    y = int(min(max(rows.min() - height, 0), size[1] - height))
    draw.rectangle((x, y, x + width, y + height), fill=rgb)
    dark = 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] < 128
    draw.text((x + 3 - left, y + 3 - top), text, fill='white' if dark else 'black', font=font)


def draw_labels(
    picture: np.ndarray, label_map: np.ndarray, background: int | None = 0, factor: int = 4
) -> np.ndarray:
    """A label map over the picture; class ``background`` stays as it is.

    Args:
        picture: (H, W, 3) uint8 RGB.
        label_map: (H, W) integer classes.
        background: Class that is left transparent, None for none. With it, class ``k`` has the
            colour of ``k - 1``, so that instances and label maps agree.
        factor: How much larger the drawing is than ``picture``.
    """
    canvas = enlarge(picture, factor).astype(np.float32)
    large = np.kron(np.asarray(label_map, np.int64), np.ones((factor, factor), np.int64))
    shift = 0 if background is None else 1
    for label in np.unique(large):
        if label == background:
            continue
        mask = large == label
        rgb = np.array(colour(int(label) - shift), np.float32)
        canvas[mask] = 0.45 * canvas[mask] + 0.55 * rgb
        canvas[outline(mask)] = rgb
    return canvas.round().astype(np.uint8)
