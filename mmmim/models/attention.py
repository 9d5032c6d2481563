"""One attention function, dispatched by device, dtype and dropout."""

import torch
import torch.nn.functional as F
from torch import Tensor

_STEPS = 1 << 16  # 16 random bits per decision: the probability is met to 1 / 65536


def _keep(like: Tensor, p: float) -> Tensor:
    """Random bool tensor, False with probability ``p`` (to 1.5e-5).

    Four decisions share one 64-bit draw, where torch's Bernoulli sampler draws for each of them.
    """
    count = like.numel()
    draws = torch.empty(-(-count // 4), dtype=torch.int64, device=like.device)
    bits = draws.random_(-(1 << 63), None).view(torch.int16)[:count]
    return bits.view(like.shape) >= round(p * _STEPS) - _STEPS // 2


def _plain(
    q: Tensor, k: Tensor, v: Tensor, dropout_p: float, bias: Tensor | None, scale: float
) -> Tensor:
    """softmax(scale * q k^T + bias) v with the dropout on the softmaxed matrix."""
    scores = (q * scale) @ k.transpose(-2, -1)
    if bias is not None:
        scores = scores + bias
    weights = scores.softmax(dim=-1).to(v.dtype)
    if dropout_p > 0:
        weights = weights * _keep(weights, dropout_p)
        v = v / (1 - dropout_p)
    return weights @ v


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    dropout_p: float = 0.0,
    bias: Tensor | None = None,
    scale: float | None = None,
) -> Tensor:
    """Scaled dot-product attention.

    On CPU the plain product beats the fused kernel wherever that one falls back to its slow path:
    low precision, and dropout. Elsewhere the fused kernel saves the (Lq, Lk) matrix.

    Args:
        q: (N, heads, Lq, d).
        k: (N, heads, Lk, d).
        v: (N, heads, Lk, d).
        dropout_p: Dropout on the softmaxed attention ("drop edge" where a decoder uses it), in
            [0, 1); the caller passes 0 in eval.
        bias: Added to the scores, broadcastable to (N, heads, Lq, Lk). None for none.
        scale: Factor of q k^T, by default 1 / sqrt(d).

    Returns:
        (N, heads, Lq, d).
    """
    if q.device.type == 'cpu' and (dropout_p > 0 or q.element_size() == 2):
        return _plain(q, k, v, dropout_p, bias, q.shape[-1] ** -0.5 if scale is None else scale)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout_p, scale=scale)
