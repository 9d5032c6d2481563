"""The pre-norm transformer block shared by backbones and decoders, with mmpretrain's parameter
names.
"""

import torch.nn as nn
import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from mmpretrain.models.utils import LayerScale, build_norm_layer
from torch import Tensor

from .attention import attend
from .lean import through

LAYER_NORM = dict(type='LN', eps=1e-6)


class SelfAttention(nn.Module):
    """Multi-head self-attention.

    Args:
        embed_dims (int): Width D.
        num_heads (int): Heads; must divide ``embed_dims``.
        qkv_bias (bool): Bias of the joint projection.
        attn_drop_rate (float): Dropout on the softmaxed attention.
        drop_rate (float): Dropout on the output.
        drop_path_rate (float): Stochastic depth of the branch.
        layer_scale_init_value (float): Initial LayerScale, 0 for none.

    Raises:
        ValueError: If ``num_heads`` does not divide ``embed_dims``.
    """

    def __init__(
        self,
        embed_dims,
        num_heads,
        qkv_bias=True,
        attn_drop_rate=0.0,
        drop_rate=0.0,
        drop_path_rate=0.0,
        layer_scale_init_value=0.0,
    ):
        super().__init__()
        if embed_dims % num_heads:
            raise ValueError(f'num_heads {num_heads} does not divide embed_dims {embed_dims}.')
        self.num_heads = num_heads
        self.attn_drop_rate = attn_drop_rate
        self.qkv = nn.Linear(embed_dims, embed_dims * 3, bias=qkv_bias)
        self.proj = nn.Linear(embed_dims, embed_dims)
        self.proj_drop = nn.Dropout(drop_rate)
        self.out_drop = DropPath(drop_path_rate)
        self.gamma1 = _layer_scale(embed_dims, layer_scale_init_value)

    def forward(self, x: Tensor, around=None, last: int | None = None) -> Tensor:
        """Without the residual.

        Args:
            x: (N, L, D).
            around (Callable, optional): (this module, x) -> (N, L, D) in place of :meth:`mix`, a
                :class:`~mmmim.models.grid_attention.GridAttention`.
            last: Tokens at the end that are wanted; None for all.

        Returns:
            (N, L or last, D).
        """
        if last is not None:
            out = self.mix(x, last=last)
        else:
            out = self.mix(x) if around is None else around(self, x)
        return self.out_drop(scaled(self.gamma1, self.proj_drop(out)))

    def mix(self, x: Tensor, attend=attend, last: int | None = None) -> Tensor:
        """Projections and, in between, ``attend``: (N, L, D) -> (N, L or last, D)."""
        n, length, dims = x.shape
        shape = n, length, -1, self.num_heads, dims // self.num_heads
        if last is None:
            q, k, v = self.qkv(x).reshape(shape).permute(2, 0, 3, 1, 4)  # each (N, heads, L, d)
        else:
            weight, bias = self.qkv.weight, self.qkv.bias
            ends = (None, None) if bias is None else (bias[:dims], bias[dims:])
            q = F.linear(x[:, -last:], weight[:dims], ends[0])
            q = q.reshape(n, last, *shape[3:]).transpose(1, 2)
            k, v = F.linear(x, weight[dims:], ends[1]).reshape(shape).permute(2, 0, 3, 1, 4)
        out = attend(q, k, v, dropout_p=self.attn_drop_rate if self.training else 0.0)
        return self.proj(out.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two-layer perceptron with GELU; parameters named as mmcv's FFN (``layers.0.0``,
    ``layers.1``).
    """

    def __init__(
        self,
        embed_dims,
        feedforward_channels,
        drop_rate=0.0,
        drop_path_rate=0.0,
        layer_scale_init_value=0.0,
    ):
        super().__init__()
        hidden = nn.Sequential(
            nn.Linear(embed_dims, feedforward_channels), nn.GELU(), nn.Dropout(drop_rate)
        )
        output = nn.Linear(feedforward_channels, embed_dims)
        self.layers = nn.Sequential(hidden, output, nn.Dropout(drop_rate))
        self.out_drop = DropPath(drop_path_rate)
        self.gamma2 = _layer_scale(embed_dims, layer_scale_init_value)

    def forward(self, x: Tensor, lean: bool = False) -> Tensor:
        """(N, L, D) -> (N, L, D), without the residual; ``lean``: see :class:`Block`."""
        (linear, gelu, drop), output, last = self.layers
        if self.training and drop.p > 0:
            lean = False
        x = last(through(gelu, linear(x), lambda hidden: output(drop(hidden)), lean))
        return self.out_drop(scaled(self.gamma2, x))


class Block(nn.Module):
    """x + attention(norm(x)), then x + perceptron(norm(x)). Arguments as :class:`SelfAttention`."""

    def __init__(
        self,
        embed_dims,
        num_heads,
        feedforward_channels,
        qkv_bias=True,
        attn_drop_rate=0.0,
        drop_rate=0.0,
        drop_path_rate=0.0,
        layer_scale_init_value=0.0,
        norm_cfg=LAYER_NORM,
    ):
        super().__init__()
        self.ln1 = build_norm_layer(norm_cfg, embed_dims)
        self.attn = SelfAttention(
            embed_dims,
            num_heads,
            qkv_bias,
            attn_drop_rate,
            drop_rate,
            drop_path_rate,
            layer_scale_init_value,
        )
        self.ln2 = build_norm_layer(norm_cfg, embed_dims)
        self.ffn = FeedForward(
            embed_dims, feedforward_channels, drop_rate, drop_path_rate, layer_scale_init_value
        )

    def forward(
        self, x: Tensor, around=None, lean: bool = False, last: int | None = None
    ) -> Tensor:
        """
        Args:
            x: (N, L, D).
            around: As in :class:`SelfAttention`.
            lean: Compute outputs of norms and GELU again in the backward pass, not to keep them.
            last: Tokens at the end that are wanted, where nothing reads the others; None for all.

        Returns:
            (N, L or last, D).
        """
        out = through(self.ln1, x, lambda y: self.attn(y, around, last), lean)
        x = (x if last is None else x[:, -last:]) + out
        return x + through(self.ln2, x, lambda y: self.ffn(y, lean), lean)


def scaled(gamma, x: Tensor) -> Tensor:
    """LayerScale in the dtype of ``x``; the weight of a module, a parameter, or nothing."""
    gamma = getattr(gamma, 'weight', gamma)
    return gamma.to(x.dtype) * x if isinstance(gamma, Tensor) else x


def _layer_scale(embed_dims, init_value):
    return (
        LayerScale(embed_dims, layer_scale_init_value=init_value)
        if init_value > 0
        else nn.Identity()
    )


def init_linear_(module: nn.Module, std: float | None = None, cut: float = 2.0) -> None:
    """Initialise linear layers, LayerNorm at 1 and 0.

    Xavier uniform, the weights of MAE (arXiv:2111.06377, appendix A.1); or with ``std`` a normal
    distribution cut off at ``cut`` standard deviations (1 in Beyond Masking's and CAE's code).
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            if std is None:
                nn.init.xavier_uniform_(part.weight)
            else:
                nn.init.trunc_normal_(part.weight, std=std, a=-cut * std, b=cut * std)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.LayerNorm):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)
