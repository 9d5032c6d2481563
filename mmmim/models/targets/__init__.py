"""Targets: what is predicted, from the clean image."""

from .pixel import PixelTarget

__all__ = ['PixelTarget']
