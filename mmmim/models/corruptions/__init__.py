"""Corruptions: what happens to the encoder's input."""

from .base import Corrupted, Corruption
from .block_masking import BlockMasking
from .blur import RandomBlur
from .color_jitter import RandomColorJitter
from .cutmix import CutMix
from .decolor import Decolor
from .degradation import Degradation, NoCorruption
from .distortion import FisheyeDistortion
from .filling import MeanColorFilling
from .geometry import Geometry, ZoomInGeometry, ZoomOutGeometry
from .masking import RandomMasking
from .sequence import CorruptionSequence
from .varying_masking import VaryingMasking
from .zoom import ZoomIn, ZoomOut

__all__ = [
    'BlockMasking',
    'Corrupted',
    'Corruption',
    'CorruptionSequence',
    'CutMix',
    'Decolor',
    'Degradation',
    'FisheyeDistortion',
    'Geometry',
    'MeanColorFilling',
    'NoCorruption',
    'RandomBlur',
    'RandomColorJitter',
    'RandomMasking',
    'VaryingMasking',
    'ZoomIn',
    'ZoomInGeometry',
    'ZoomOut',
    'ZoomOutGeometry',
]
