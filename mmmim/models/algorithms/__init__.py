"""Algorithms: how the parts make a loss."""

from .masked_image_modeling import MaskedImageModeling, Reconstruction

__all__ = ['MaskedImageModeling', 'Reconstruction']
