"""Targets: what is predicted, from the clean image."""

from .hog import HOGTarget
from .pixel import PixelTarget
from .spectrum import SpectrumTarget
from .token import TokenTarget
from .zoom import ZoomTarget

__all__ = [
    'HOGTarget',
    'PixelTarget',
    'SpectrumTarget',
    'TokenTarget',
    'ZoomTarget',
]
