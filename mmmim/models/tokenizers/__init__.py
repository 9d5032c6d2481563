"""Tokenizers: images to grids of discrete visual tokens."""

from .dalle import DALLEEncoder
from .discrete_vae import DiscreteVAE

__all__ = ['DALLEEncoder', 'DiscreteVAE']
