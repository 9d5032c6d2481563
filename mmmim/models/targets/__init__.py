"""Targets: what is predicted, from the clean image."""

from .pixel import PixelTarget
from .token import TokenTarget
from .zoom import ZoomTarget

__all__ = ['PixelTarget', 'TokenTarget', 'ZoomTarget']
