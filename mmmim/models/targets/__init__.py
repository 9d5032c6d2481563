"""Targets: what is predicted, from the clean image."""

from .pixel import PixelTarget
from .token import TokenTarget

__all__ = ['PixelTarget', 'TokenTarget']
