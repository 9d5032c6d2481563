"""One scene as a function of (seed, split, index): what is in it, where, and its pixels."""

from dataclasses import dataclass

import cv2
import numpy as np

from .shapes import SHAPES, place
from .textures import TEXTURES, cut_texture, texture_bank

# Number of the split in the random stream: one split never depends on how many scenes another has.
SPLITS = dict(unlabeled=0, train=1, tune=2, val=3)


@dataclass(frozen=True)
class Style:
    """Ranges the scenes are drawn from; lengths are fractions of the image side.

    Every range is drawn uniformly (magnifications and aspects uniformly in their logarithm) and
    independently of the class. Only ``home_share`` ties texture to class.

    Args:
        home_share (float): Probability that an object wears the texture of its class's number;
            otherwise one of the other kinds, all equally likely. 1 / 8 is independence.
        objects (tuple): Probabilities of 1, 2, ... objects.
        dominant_radius (tuple): Range for the first object, which gives the scene its label.
        other_radius (tuple): Range for the others.
        turn (float): Largest rotation to either side, degrees.
        aspect (float): Largest absolute logarithm of width over height.
        closeness (float): Least distance of two centres over the sum of their radii.
        contrast (float): Least distance of an object's colour from the background's, RGB in [0, 1].
        background_amplitude (tuple): Standard deviation of the background's texture.
        object_amplitude (tuple): Standard deviation of an object's texture.
        zoom (tuple): Magnification of textures.
        light (float): Largest change of brightness from the centre to a corner.
        gain (float): Largest absolute logarithm of the overall brightness.
        shadow (float): Largest darkness of an object's shadow on what lies below.
    """

    home_share: float = 0.7
    objects: tuple = (0.3, 0.3, 0.25, 0.15)
    dominant_radius: tuple = (0.27, 0.38)
    other_radius: tuple = (0.12, 0.17)
    turn: float = 20.0
    aspect: float = 0.15
    closeness: float = 0.75
    contrast: float = 0.45
    background_amplitude: tuple = (0.03, 0.1)
    object_amplitude: tuple = (0.06, 0.14)
    zoom: tuple = (0.7, 1.4)
    light: float = 0.3
    gain: float = 0.2
    shadow: float = 0.4


@dataclass
class Scene:
    """A drawn scene.

    ``image`` is (size, size, 3) uint8 BGR, the order OpenCV writes. ``owner`` is (size, size)
    uint8: 0 background, i + 1 where object i is in front. ``objects`` holds a dict per object, the
    dominant one first: ``label`` and ``texture`` (0 ... 7), ``home`` (bool), ``visible`` (fraction
    of its area within the image that nothing hides), and the placement.
    """

    image: np.ndarray
    owner: np.ndarray
    objects: list


def scene_rng(seed, split, index):
    """The random stream of one scene; independent of every other scene and of who draws it."""
    return np.random.default_rng([seed, SPLITS[split], index])


def draw_scene(seed, split, index, *, size=64, style=None):
    """Draw one scene.

    The dominant class is ``index`` modulo the number of classes, so every run of eight consecutive
    scenes holds each class once.

    Args:
        seed (int): Seed of the data set, not negative.
        split (str): One of ``SPLITS``.
        index (int): Number of the scene in its split.
        size (int): Side of the image in pixels.
        style (Style): Ranges to draw from; None takes the defaults.

    Returns:
        Scene
    """
    style = style or Style()
    rng = scene_rng(seed, split, index)
    bank = texture_bank(size)
    objects = _choose_objects(rng, style, dominant=index % len(SHAPES))
    _place_objects(objects, rng, style)
    paint = _choose_paint(len(objects), rng, style)
    canvas = _background(paint[0], rng, bank, size, style)
    owner = np.zeros((size, size), np.uint8)
    # The order of drawing is free, so that the dominant object may lie behind others.
    for number in rng.permutation(len(objects)):
        _draw_object(canvas, owner, number, objects[number], paint[number + 1], rng, bank, style)
    for number, one in enumerate(objects):
        one['visible'] = float((owner == number + 1).sum() / max(one.pop('pixels'), 1))
    return Scene(_light(canvas, rng, style), owner, objects)


def _choose_objects(rng, style, *, dominant):
    """Class, texture and form of each object; the first is the dominant one."""
    count = 1 + int(rng.choice(len(style.objects), p=style.objects))
    objects = []
    for number in range(count):
        label = dominant if number == 0 else int(rng.integers(len(SHAPES)))
        home = bool(rng.random() < style.home_share)
        away = (label + 1 + int(rng.integers(len(TEXTURES) - 1))) % len(TEXTURES)
        low, high = style.dominant_radius if number == 0 else style.other_radius
        turn, stretch, radius = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(low, high)
        objects.append(
            dict(
                label=label,
                home=home,
                texture=label if home else away,
                radius=radius,
                angle=np.deg2rad(style.turn) * turn,
                aspect=float(np.exp(style.aspect * stretch)),
                mirror=bool(rng.random() < 0.5),
            )
        )
    return objects


def _place_objects(objects, rng, style, tries=24):
    """Give every object a centre; objects that find no room are taken out, never the first."""
    placed = []
    for one in objects:
        margin = 0.9 * one['radius']
        spots = rng.uniform(margin, 1 - margin, (tries, 2))
        free = np.ones(tries, bool)
        for other in placed:
            distance = np.hypot(*(spots - other['center']).T)
            free &= distance > style.closeness * (one['radius'] + other['radius'])
        if free.any():
            one['center'] = spots[free.argmax()]
            placed.append(one)
    objects[:] = placed


def _choose_paint(count, rng, style, tries=16):
    """Colours, (count + 1, 3) in [0, 1]: the background's, then one for each object far from it."""
    background = rng.uniform(0.15, 0.85, 3)
    candidates = rng.uniform(0.1, 0.9, (count, tries, 3))
    distance = np.linalg.norm(candidates - background, axis=2)
    # The first candidate that is far enough, or the farthest of all.
    chosen = np.where(
        (distance >= style.contrast).any(1),
        (distance >= style.contrast).argmax(1),
        distance.argmax(1),
    )
    colours = candidates[np.arange(count), chosen]
    return np.concatenate([background[None], colours]).astype(np.float32)


def _textured(colour, kind, amplitude, rng, bank, shape, zoom):
    """A patch of one colour, its brightness and a little of its hue modulated by a texture."""
    direction = 1 + rng.uniform(-0.5, 0.5, 3)
    field = cut_texture(bank, kind, rng, shape, zoom=zoom)
    return colour + field[..., None] * (amplitude * direction).astype(np.float32)


def _background(colour, rng, bank, size, style):
    kind = TEXTURES[rng.integers(len(TEXTURES))]
    amplitude = rng.uniform(*style.background_amplitude)
    return _textured(colour, kind, amplitude, rng, bank, (size, size), style.zoom)


def _draw_object(canvas, owner, number, one, colour, rng, bank, style):
    """Paint one object over ``canvas`` and ``owner`` in place, inside its own box only."""
    size = len(canvas)
    points = place(
        SHAPES[one['label']],
        center=one['center'] * size - 0.5,
        radius=one['radius'] * size,
        angle=one['angle'],
        aspect=one['aspect'],
        mirror=one['mirror'],
    )
    reach = int(np.ceil(0.06 * size)) + 1  # room for the shadow
    x0, y0 = np.maximum(np.floor(points.min(0)).astype(int) - reach, 0)
    x1, y1 = np.minimum(np.ceil(points.max(0)).astype(int) + reach + 1, size)
    cover = np.zeros((y1 - y0, x1 - x0), np.uint8)
    corners = np.round((points - (x0, y0)) * 16).astype(np.int32)  # 4 fractional bits
    cv2.fillPoly(cover, [corners], 255, cv2.LINE_AA, 4)
    paint = _textured(
        colour,
        TEXTURES[one['texture']],
        rng.uniform(*style.object_amplitude),
        rng,
        bank,
        cover.shape,
        style.zoom,
    )
    region = canvas[y0:y1, x0:x1]
    _cast_shadow(region, cover, rng, style, size)
    alpha = cover[..., None].astype(np.float32) / 255
    region += alpha * (paint - region)
    inside = cover >= 128
    owner[y0:y1, x0:x1][inside] = number + 1
    one['pixels'] = int(inside.sum())


def _cast_shadow(region, cover, rng, style, size):
    """Darken what lies below, softly, displaced by a few hundredths of the image."""
    angle, darkness = rng.uniform(0, 2 * np.pi), rng.uniform(0, style.shadow)
    dx, dy = 0.03 * size * np.cos(angle), 0.03 * size * np.sin(angle)
    move = np.array([[1, 0, dx], [0, 1, dy]])
    soft = cv2.warpAffine(cv2.blur(cover, (3, 3)), move, cover.shape[::-1])
    region *= 1 - (darkness / 255) * soft[..., None].astype(np.float32)


def _light(canvas, rng, style):
    """Brightness that changes along a random direction, and overall; to uint8."""
    size = len(canvas)
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, style.light)
    axis = np.linspace(-1, 1, size, dtype=np.float32) / np.float32(np.sqrt(2))
    ramp = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    gain = 255 * np.exp(style.gain * rng.uniform(-1, 1))
    factor = (gain * (1 + strength * ramp)).astype(np.float32)
    return np.clip(canvas * factor[..., None] + 0.5, 0, 255).astype(np.uint8)
