"""Losses over masked cells, and between two views."""

from .contrastive import CosineDistanceLoss, InfoNCELoss
from .frequency import DualDomainLoss, FocalFrequencyLoss
from .geometry import BorderLoss, compare
from .regression import MaskedRegressionLoss
from .self_distillation import MaskedSelfDistillationLoss, SelfDistillationLoss
from .token import TokenCrossEntropy
from .weighted import WeightedLoss

__all__ = [
    'BorderLoss',
    'CosineDistanceLoss',
    'DualDomainLoss',
    'FocalFrequencyLoss',
    'InfoNCELoss',
    'MaskedRegressionLoss',
    'MaskedSelfDistillationLoss',
    'SelfDistillationLoss',
    'TokenCrossEntropy',
    'WeightedLoss',
    'compare',
]
