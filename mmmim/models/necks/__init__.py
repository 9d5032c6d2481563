"""Necks: decoders and projectors for pre-training, pyramids for dense tasks."""

from .decoder import TransformerDecoder
from .deconv_pyramid import DeconvPyramid
from .projection import ProjectionMLP

__all__ = ['DeconvPyramid', 'ProjectionMLP', 'TransformerDecoder']
