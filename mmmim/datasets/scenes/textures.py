"""A bank of repeating grey patterns from which backgrounds and objects are cut.

A pattern is a square tile that repeats without a seam, float32, mean 0, standard deviation 1.
Colour and contrast are added where it is used, so no kind has a colour or a contrast of its own.
"""

from functools import lru_cache

import cv2
import numpy as np

# As many kinds as shapes: kind k is the home texture of shape k.
TEXTURES = ('bands', 'bricks', 'checks', 'clouds', 'dots', 'lattice', 'waves', 'zigzag')
TILE = 2  # side of a tile in images
REPEATS = 16  # periods along a tile, so 8 along an image
VARIANTS = 4  # tiles per kind


def _axes(side):
    """Two coordinate grids in periods, from 0 to ``REPEATS``, each (side, side)."""
    axis = (np.arange(side) + 0.5) * (REPEATS / side)
    return np.meshgrid(axis, axis)


def _soft(values, sharpness=4.0):
    """A wave turned into bars with soft edges, so that a small warp does not alias."""
    return np.tanh(sharpness * values)


def _bands(x, y, rng):
    return _soft(np.sin(2 * np.pi * y) + rng.uniform(-0.4, 0.4))


def _bricks(x, y, rng):
    row = np.floor(y)
    mortar_y = np.abs(y - row - 0.5)
    column = x / 2 + 0.5 * (row % 2)
    mortar_x = 2 * np.abs(column - np.floor(column) - 0.5)
    width = rng.uniform(0.12, 0.2)
    return _soft(np.minimum(0.5 - mortar_y, 1.0 - mortar_x) - width, sharpness=12)


def _checks(x, y, rng):
    return _soft(np.sin(np.pi * x) * np.sin(np.pi * y), sharpness=rng.uniform(3, 6))


def _clouds(x, y, rng):
    """Noise without preferred direction, one octave around half the period of the others."""
    side = len(x)
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    radius = np.hypot(fy, fx) * side / REPEATS
    spectrum = np.fft.rfft2(rng.standard_normal((side, side)))
    return np.fft.irfft2(spectrum * np.exp(-(((radius - 0.5) / 0.25) ** 2)), s=(side, side))


def _dots(x, y, rng):
    """Discs on a staggered grid."""
    row = np.floor(y)
    u, v = (x + 0.5 * (row % 2)) % 1 - 0.5, y - row - 0.5
    return _soft(rng.uniform(0.28, 0.36) - np.hypot(u, v), sharpness=12)


def _lattice(x, y, rng):
    """Thin lines along both axes."""
    near = np.minimum(np.abs(x % 1 - 0.5), np.abs(y % 1 - 0.5))
    return _soft(near - rng.uniform(0.1, 0.16), sharpness=14)


def _waves(x, y, rng):
    return _soft(np.sin(2 * np.pi * (y + 0.3 * np.sin(np.pi * x + rng.uniform(0, np.pi)))))


def _zigzag(x, y, rng):
    return _soft(np.sin(2 * np.pi * (y + rng.uniform(0.7, 1.0) * np.abs(x / 2 % 1 - 0.5) * 2)))


_BUILDERS = dict(
    bands=_bands,
    bricks=_bricks,
    checks=_checks,
    clouds=_clouds,
    dots=_dots,
    lattice=_lattice,
    waves=_waves,
    zigzag=_zigzag,
)


@lru_cache(maxsize=4)
def texture_bank(size):
    """Every tile for one image size; always the same tiles for the same size.

    Args:
        size (int): Image side in pixels.

    Returns:
        dict: kind -> list of ``VARIANTS`` arrays (TILE * size, TILE * size) float32.
    """
    x, y = _axes(TILE * size)
    bank = {}
    for number, kind in enumerate(TEXTURES):
        rng = np.random.default_rng([7, number])
        tiles = [_BUILDERS[kind](x, y, rng) for _ in range(VARIANTS)]
        bank[kind] = [((t - t.mean()) / t.std()).astype(np.float32) for t in tiles]
    return bank


def cut_texture(bank, kind, rng, shape, *, zoom=(0.7, 1.4)):
    """A piece of a pattern at a random place, turn, zoom and variant.

    Args:
        bank (dict): From ``texture_bank``.
        kind (str): One of ``TEXTURES``.
        rng: numpy Generator.
        shape (tuple): height, width of the piece in pixels.
        zoom (tuple): Range of the magnification.

    Returns:
        (height, width) float32, mean about 0, standard deviation about 1.
    """
    tile = bank[kind][rng.integers(VARIANTS)]
    side = tile.shape[0]
    place_x, place_y, turn, stretch = rng.random(4)
    scale = zoom[0] * (zoom[1] / zoom[0]) ** stretch
    c, s = np.cos(2 * np.pi * turn) / scale, np.sin(2 * np.pi * turn) / scale
    matrix = np.array([[c, -s, place_x * side], [s, c, place_y * side]])
    return cv2.warpAffine(
        tile,
        matrix,
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_WRAP,
    )
