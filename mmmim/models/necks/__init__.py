"""Necks: decoders for pre-training, pyramids for dense tasks."""

from .decoder import TransformerDecoder
from .deconv_pyramid import DeconvPyramid

__all__ = ['DeconvPyramid', 'TransformerDecoder']
