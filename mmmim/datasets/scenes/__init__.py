"""The embedded data set: scenes of textured shapes, generated from a seed into a real folder.

See docs/scenes.md for the layout and for what varies.
"""

from .annotations import BACKGROUND
from .composition import SPLITS, Scene, Style, draw_scene
from .make import make_scenes
from .settings import Settings
from .shapes import SHAPES
from .textures import TEXTURES

__all__ = [
    'BACKGROUND',
    'SHAPES',
    'SPLITS',
    'TEXTURES',
    'Scene',
    'Settings',
    'Style',
    'draw_scene',
    'make_scenes',
]
