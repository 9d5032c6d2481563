"""Losses over masked cells, and between two views."""

from .contrastive import CosineDistanceLoss, InfoNCELoss
from .regression import MaskedRegressionLoss
from .token import TokenCrossEntropy

__all__ = ['CosineDistanceLoss', 'InfoNCELoss', 'MaskedRegressionLoss', 'TokenCrossEntropy']
