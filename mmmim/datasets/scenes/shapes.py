"""Outlines of the shape classes, as unit polygons.

Each outline is an (M, 2) float32 array of x, y with y pointing down, centred on the centroid of
its area and scaled so that neither area nor extent alone gives the class away (``_normalise``).
"""

import numpy as np

# Alphabetical, so that index k here, class folder k, category id k + 1 and label value k + 1 agree.
SHAPES = ('arrow', 'circle', 'crescent', 'cross', 'heart', 'square', 'star', 'triangle')


def _ring(count, start=0.0):
    """``count`` angles of a full turn in radians, (count,)."""
    return start + np.arange(count) * (2 * np.pi / count)


def _polar(angles, radii):
    return np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=1)


def _arrow():
    return [
        (0, -1),
        (0.85, -0.05),
        (0.36, -0.05),
        (0.36, 1),
        (-0.36, 1),
        (-0.36, -0.05),
        (-0.85, -0.05),
    ]


def _circle():
    return _polar(_ring(40), 1.0)


def _crescent():
    """A disc minus a disc of 0.9 of its radius that is shifted to the right."""
    shift, inner = 0.55, 0.9
    x = (1 - inner**2 + shift**2) / (2 * shift)  # abscissa of the two horns
    tip = np.arccos(x)
    horn = np.arctan2(np.sin(tip), x - shift)
    outer = _polar(np.linspace(tip, 2 * np.pi - tip, 28), 1.0)
    bite = _polar(np.linspace(2 * np.pi - horn, horn, 20), inner) + [shift, 0]
    return np.concatenate([outer, bite[1:-1]])


def _cross():
    a = 0.36
    return [
        (-a, -1),
        (a, -1),
        (a, -a),
        (1, -a),
        (1, a),
        (a, a),
        (a, 1),
        (-a, 1),
        (-a, a),
        (-1, a),
        (-1, -a),
        (-a, -a),
    ]


def _heart():
    t = _ring(40)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, -y], axis=1)


def _square():
    return [(-1, -1), (1, -1), (1, 1), (-1, 1)]


def _star():
    return _polar(_ring(10, start=-np.pi / 2), np.where(np.arange(10) % 2, 0.45, 1.0))


def _triangle():
    return _polar(_ring(3, start=-np.pi / 2), 1.0)


def area_and_centroid(points):
    """Area and centroid of a simple polygon by the shoelace formula.

    Args:
        points: (M, 2) float.

    Returns:
        tuple: area (float, positive) and centroid (2,).
    """
    x, y = points[:, 0], points[:, 1]
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    cross = x * y2 - x2 * y
    signed = cross.sum() / 2
    centroid = np.array([((x + x2) * cross).sum(), ((y + y2) * cross).sum()]) / (6 * signed)
    return abs(signed), centroid


def _normalise(points):
    """Centre on the area and divide by the geometric mean of equal-area radius and largest radius.

    Equal areas would make a star's arms half as long again as a circle's radius, equal radii would
    make its area a third of the circle's: either would give the class away. The mean splits it.
    """
    points = np.asarray(points, dtype=np.float64)
    area, centroid = area_and_centroid(points)
    points = points - centroid
    largest = np.linalg.norm(points, axis=1).max()
    return (points / np.sqrt(np.sqrt(area / np.pi) * largest)).astype(np.float32)


_BUILDERS = dict(
    arrow=_arrow,
    circle=_circle,
    crescent=_crescent,
    cross=_cross,
    heart=_heart,
    square=_square,
    star=_star,
    triangle=_triangle,
)
OUTLINES = {name: _normalise(_BUILDERS[name]()) for name in SHAPES}


def place(name, *, center, radius, angle=0.0, aspect=1.0, mirror=False):
    """The outline of a shape in pixels.

    Args:
        name (str): One of ``SHAPES``.
        center (tuple): x, y in pixels, pixel centres at integers.
        radius (float): In pixels.
        angle (float): Turn in radians.
        aspect (float): Before the turn width is multiplied by its square root, height divided.
        mirror (bool): Left and right exchanged first.

    Returns:
        (M, 2) float32 of x, y.
    """
    stretch = np.sqrt(aspect)
    c, s = np.cos(angle), np.sin(angle)
    sx = -stretch if mirror else stretch
    matrix = np.array([[c * sx, s * sx], [-s / stretch, c / stretch]]) * radius
    return (OUTLINES[name] @ matrix + np.asarray(center)).astype(np.float32)
