"""Corruptions: what happens to the encoder's input."""

from .base import Corrupted, Corruption
from .masking import RandomMasking

__all__ = ['Corrupted', 'Corruption', 'RandomMasking']
