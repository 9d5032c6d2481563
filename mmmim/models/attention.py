"""One attention function, dispatched by device, dtype and dropout."""

import torch.nn.functional as F
from torch import Tensor


def _plain(q: Tensor, k: Tensor, v: Tensor, dropout_p: float, bias: Tensor | None) -> Tensor:
    """softmax(q k^T / sqrt(d) + bias) v with the dropout on the softmaxed matrix."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    if bias is not None:
        scores = scores + bias
    weights = scores.softmax(dim=-1)
    if dropout_p > 0:
        weights = F.dropout(weights, dropout_p)
    return weights.to(v.dtype) @ v


def attend(
    q: Tensor, k: Tensor, v: Tensor, dropout_p: float = 0.0, bias: Tensor | None = None
) -> Tensor:
    """Scaled dot-product attention.

    On CPU the plain product beats the fused kernel wherever that one falls back to its slow path:
        low precision, and
    dropout (see docs/performance). Elsewhere the fused kernel saves the (Lq, Lk) matrix.

    Args:
        q: (N, heads, Lq, d).
        k: (N, heads, Lk, d).
        v: (N, heads, Lk, d).
        dropout_p: Dropout on the softmaxed attention ("drop edge" where a decoder uses it); the
            caller passes 0 in eval.
        bias: Added to the scores, broadcastable to (N, heads, Lq, Lk). None for none.

    Returns:
        (N, heads, Lq, d).
    """
    if q.device.type == 'cpu' and (dropout_p > 0 or q.element_size() == 2):
        return _plain(q, k, v, dropout_p, bias)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout_p)
