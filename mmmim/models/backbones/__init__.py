"""Backbones."""

from .masked_beit import MaskedBEiT
from .masked_vit import MaskedViT

__all__ = ['MaskedBEiT', 'MaskedViT']
