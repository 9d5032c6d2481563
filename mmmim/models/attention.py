"""One attention function, dispatched by device, dtype and dropout."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmmim.fast import is_fast

from .chunked_attention import TableBias, chunked_attention

# Above this many scores per head the (Lq, Lk) matrix costs more than computing it twice.
_LONG = 768**2
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


def reads_tables(length: int, device: torch.device, dropout_p: float) -> bool:
    """Whether a learnt bias on ``length`` tokens is better left as a table, looked up in chunks."""
    long = length**2 >= _LONG and is_fast('attention')
    return long and device.type == 'cpu' and dropout_p == 0 and torch.is_grad_enabled()


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    dropout_p: float = 0.0,
    bias: Tensor | TableBias | None = None,
    scale: float | None = None,
) -> Tensor:
    """Scaled dot-product attention.

    On CPU the plain product beats the fused kernel wherever that one falls back to its slow path:
    short sequences in low precision, dropout, a bias with a gradient. Where such a bias meets a
    long sequence, chunks of queries do without the (Lq, Lk) matrix. Elsewhere the fused kernel
    does.

    Args:
        q: (N, heads, Lq, d).
        k: (N, heads, Lk, d).
        v: (N, heads, Lk, d).
        dropout_p: Dropout on the softmaxed attention ("drop edge" where a decoder uses it), in
            [0, 1); the caller passes 0 in eval.
        bias: Added to the scores, broadcastable to (N, heads, Lq, Lk), or, where
            :func:`reads_tables` says so, the table it comes from. None for none.
        scale: Factor of q k^T, by default 1 / sqrt(d).

    Returns:
        (N, heads, Lq, d).
    """
    if q.device.type == 'cpu':
        factor = q.shape[-1] ** -0.5 if scale is None else scale
        long = q.shape[2] * k.shape[2] >= _LONG and is_fast('attention')
        if isinstance(bias, TableBias):
            return chunked_attention(q, k, v, bias, factor)
        learnt = bias is not None and bias.requires_grad
        low, narrow = q.element_size() == 2, v.shape[-1] < q.shape[-1]
        if dropout_p == 0 and long and (learnt or (narrow and not low)):
            return chunked_attention(q, k, v, bias, factor)
        if dropout_p > 0 or learnt or (low and not long):
            return _plain(q, k, v, dropout_p, bias, factor)
        if narrow:  # the fused kernel wants one width
            wide = F.pad(v, (0, q.shape[-1] - v.shape[-1]))
            out = F.scaled_dot_product_attention(q, k, wide, attn_mask=bias, scale=factor)
            return out[..., : v.shape[-1]]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout_p, scale=scale)
