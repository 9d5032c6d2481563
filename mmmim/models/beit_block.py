"""The block of the BEiT family: query and value bias, LayerScale, a bias on the scores; parameters
named as in mmpretrain's ``BEiTTransformerEncoderLayer``.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from mmpretrain.models.utils import build_norm_layer
from torch import Tensor

from .attention import attend
from .lean import through
from .transformer import LAYER_NORM, FeedForward, scaled


class QVAttention(nn.Module):
    """Multi-head self-attention with a bias of queries and values (one of keys has no effect).

    Unlike mmpretrain's ``BEiTTransformerEncoderLayer``, whose dropout rates never arrive, both
    dropouts work.

    Args:
        embed_dims (int): Width D.
        num_heads (int): Heads; must divide ``embed_dims``.
        attn_drop_rate (float): Dropout on the softmaxed attention.
        drop_rate (float): Dropout on the output.

    Raises:
        ValueError: If ``num_heads`` does not divide ``embed_dims``.
    """

    def __init__(self, embed_dims, num_heads, attn_drop_rate=0.0, drop_rate=0.0):
        super().__init__()
        if embed_dims % num_heads:
            raise ValueError(f'num_heads {num_heads} does not divide embed_dims {embed_dims}.')
        self.num_heads, self.attn_drop_rate = num_heads, attn_drop_rate
        self.q_bias = nn.Parameter(torch.zeros(embed_dims))
        self.v_bias = nn.Parameter(torch.zeros(embed_dims))
        self.qkv = nn.Linear(embed_dims, embed_dims * 3, bias=False)
        self.proj = nn.Linear(embed_dims, embed_dims)
        self.proj_drop = nn.Dropout(drop_rate)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """
        Args:
            x: (N, T, D).
            bias: (1 or N, heads, T, T), added to the scores, or its table.

        Returns:
            (N, T, D), without the residual.
        """
        n, length, dims = x.shape
        joint = torch.cat([self.q_bias, torch.zeros_like(self.v_bias), self.v_bias])
        qkv = F.linear(x, self.qkv.weight, joint)
        qkv = qkv.reshape(n, length, 3, self.num_heads, dims // self.num_heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (N, heads, T, d)
        bias = bias.to(q.dtype) if isinstance(bias, Tensor) else bias
        out = attend(q, k, v, self.attn_drop_rate if self.training else 0.0, bias)
        return self.proj_drop(self.proj(out.transpose(1, 2).reshape(n, length, dims)))


class BEiTBlock(nn.Module):
    """x + scale * attention(norm(x)), then x + scale * perceptron(norm(x)).

    BEiT, arXiv:2106.08254, section 2.2. Stochastic depth is applied once per branch, where
    mmpretrain's layer applies it twice to the perceptron.

    Args:
        embed_dims (int): Width D.
        num_heads (int): Heads.
        feedforward_channels (int): Hidden width of the perceptron.
        attn_drop_rate (float): Dropout on the softmaxed attention.
        drop_rate (float): Dropout after attention and in the perceptron.
        drop_path_rate (float): Stochastic depth.
        layer_scale_init_value (float): Initial LayerScale, 0 for none.
        norm_cfg (dict): Normalisation layer.
    """

    def __init__(
        self,
        embed_dims,
        num_heads,
        feedforward_channels,
        attn_drop_rate=0.0,
        drop_rate=0.0,
        drop_path_rate=0.0,
        layer_scale_init_value=0.1,
        norm_cfg=LAYER_NORM,
    ):
        super().__init__()
        self.ln1 = build_norm_layer(norm_cfg, embed_dims)
        self.attn = QVAttention(embed_dims, num_heads, attn_drop_rate, drop_rate)
        self.ln2 = build_norm_layer(norm_cfg, embed_dims)
        self.ffn = FeedForward(embed_dims, feedforward_channels, drop_rate)
        self.drop_path = DropPath(drop_path_rate)
        for name in ('gamma_1', 'gamma_2'):
            scale = torch.full((embed_dims,), float(layer_scale_init_value))
            setattr(self, name, nn.Parameter(scale) if layer_scale_init_value > 0 else None)

    def forward(self, x: Tensor, bias: Tensor | None = None, lean: bool = False) -> Tensor:
        """(N, T, D), bias as in :class:`QVAttention`, ``lean`` as in
        :class:`~mmmim.models.transformer.Block` -> (N, T, D)."""
        out = through(self.ln1, x, lambda y: self.attn(y, bias), lean)
        x = x + self.drop_path(scaled(self.gamma_1, out))
        out = through(self.ln2, x, lambda y: self.ffn(y, lean), lean)
        return x + self.drop_path(scaled(self.gamma_2, out))


def rescale_by_depth_(layers) -> None:
    """Divide what block k (from 1) adds to the residual stream by sqrt(2 k) at initialisation.

    BEiT, arXiv:2106.08254, section 2.5; CAE's ``fix_init_weight``.
    """
    for depth, layer in enumerate(layers, start=1):
        for linear in (layer.attn.proj, layer.ffn.layers[1]):
            linear.weight.data.div_((2 * depth) ** 0.5)
