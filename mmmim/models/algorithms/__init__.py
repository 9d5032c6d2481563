"""Algorithms: how the parts make a loss."""

from .contrastive_mim import ContrastiveMIM
from .masked_image_modeling import MaskedImageModeling, Reconstruction
from .relaxed_mim import RelaxedMIM
from .tokenizer_training import TokenizerTraining

__all__ = [
    'ContrastiveMIM',
    'MaskedImageModeling',
    'Reconstruction',
    'RelaxedMIM',
    'TokenizerTraining',
]
