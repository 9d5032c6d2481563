"""Necks: decoders for pre-training, pyramids for dense tasks."""

from .deconv_pyramid import DeconvPyramid
from .decoder import TransformerDecoder

__all__ = ['DeconvPyramid', 'TransformerDecoder']
