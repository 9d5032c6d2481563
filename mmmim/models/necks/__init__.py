"""Necks: decoders and projectors for pre-training, pyramids for dense tasks."""

from .decoder import TransformerDecoder
from .deconv_pyramid import DeconvPyramid
from .projection import ProjectionMLP
from .prototypes import PrototypeHead

__all__ = [
    'DeconvPyramid',
    'ProjectionMLP',
    'PrototypeHead',
    'TransformerDecoder',
]
