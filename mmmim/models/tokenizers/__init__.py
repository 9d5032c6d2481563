"""Tokenizers: images to grids of discrete visual tokens."""

from .dalle import DALLETokenizer
from .discrete_vae import DiscreteVAE

__all__ = ['DALLETokenizer', 'DiscreteVAE']
