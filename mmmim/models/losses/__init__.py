"""Losses over masked cells."""

from .regression import MaskedRegressionLoss

__all__ = ['MaskedRegressionLoss']
