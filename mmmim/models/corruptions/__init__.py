"""Corruptions: what happens to the encoder's input."""

from .base import Corrupted, Corruption
from .block_masking import BlockMasking
from .masking import RandomMasking

__all__ = ['BlockMasking', 'Corrupted', 'Corruption', 'RandomMasking']
