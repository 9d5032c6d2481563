"""Algorithms: how the parts make a loss."""

from .masked_image_modeling import MaskedImageModeling, Reconstruction
from .tokenizer_training import TokenizerTraining

__all__ = ['MaskedImageModeling', 'Reconstruction', 'TokenizerTraining']
