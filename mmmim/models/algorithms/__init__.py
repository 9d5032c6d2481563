"""Algorithms: how the parts make a loss."""

from .contrastive_mim import ContrastiveMIM
from .latent_alignment import LatentAlignment
from .masked_image_modeling import MaskedImageModeling, Reconstruction
from .mutual_prediction import MutualPrediction
from .relaxed_mim import RelaxedMIM
from .self_distillation import SelfDistillation
from .tokenizer_training import TokenizerTraining
from .two_view_contrast import TwoViewContrast

__all__ = [
    'ContrastiveMIM',
    'LatentAlignment',
    'MaskedImageModeling',
    'MutualPrediction',
    'Reconstruction',
    'RelaxedMIM',
    'SelfDistillation',
    'TokenizerTraining',
    'TwoViewContrast',
]
