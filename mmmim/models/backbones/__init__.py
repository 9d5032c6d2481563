"""Backbones."""

from .masked_beit import MaskedBEiT
from .masked_swin import MaskedSwin
from .masked_vit import MaskedViT

__all__ = [
    'MaskedBEiT',
    'MaskedSwin',
    'MaskedViT',
]
