"""Attention in chunks of queries: no (Lq, Lk) matrix is stored for the backward pass.

Softmax is taken row by row, so chunks are exact; the backward pass computes each chunk's matrix
again, as Flash Attention does (Dao et al., arXiv:2205.14135, algorithm 4). Unlike torch's fused
kernel on CPUs it is fast in bfloat16 and takes a bias that has a gradient, which may stay a table
of relative positions. One head at a time, and everything in place: a chunk stays in the cache.
"""

from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

SCORES = 1 << 18  # at a time: a megabyte in float32


class TableBias(NamedTuple):
    """A bias on the scores that is looked up row by row.

    Attributes:
        table: (rows, heads).
        index: (Lq, Lk) int64, rows of the table.
    """

    table: Tensor
    index: Tensor


def chunked_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    bias: Tensor | TableBias | None,
    scale: float,
    chunk: int | None = None,
) -> Tensor:
    """softmax(scale * q k^T + bias) v.

    Args:
        q: (N, heads, Lq, d).
        k: (N, heads, Lk, d).
        v: (N, heads, Lk, d'), same dtype.
        bias: Broadcastable to (N, heads, Lq, Lk), its last two axes in full; or its table; None
            for none.
        scale: Factor of q k^T.
        chunk: Queries at a time; None takes as many as give ``SCORES`` scores.

    Returns:
        (N, heads, Lq, d'), in memory (N, Lq, heads, d'), as the projection that follows wants it.
    """
    values, index = bias if isinstance(bias, TableBias) else (bias, None)
    chunk = chunk or max(32, SCORES // k.shape[2])
    return _Chunked.apply(q, k, v, values, index, scale, chunk)


def _chunks(length, chunk):
    """Slices of about equal length."""
    size = -(-length // -(-length // chunk))
    return [slice(first, min(first + size, length)) for first in range(0, length, size)]


class _Bias:
    """Puts the bias of some queries of one head into place, and takes its gradient."""

    def __init__(self, values, index, dtype):
        self.index, self.values, self.grad = index, values, None
        if values is None:
            return
        if index is not None:  # a head's numbers side by side
            self.table = values.detach().to(dtype).T.contiguous()
        else:
            self.values = values.detach()[(None,) * (4 - values.dim())]

    def want_gradient(self):
        like = self.values if self.index is None else self.values.T
        self.grad = torch.zeros_like(like, memory_format=torch.contiguous_format)

    def gradient(self, shape):
        if self.grad is None:
            return None
        return self.grad.view(shape) if self.index is None else self.grad.T

    def fill(self, scores, image, head, rows):
        """Into ``scores`` (queries, Lk)."""
        if self.index is None:
            scores.copy_(self._of(self.values, image, head)[rows])
        else:
            index = self.index[rows].flatten()
            torch.index_select(self.table[head], 0, index, out=scores.view(-1))

    def add(self, scores, image, head, rows):
        """What ``scores`` (queries, Lk) mean for the bias."""
        if self.grad is None:
            return
        if self.index is None:
            self._of(self.grad, image, head)[rows].add_(scores)
        else:
            scores = scores.flatten().to(self.grad.dtype)
            self.grad[head].index_add_(0, self.index[rows].flatten(), scores)

    @staticmethod
    def _of(values, image, head):
        images, heads = values.shape[:2]
        return values[image if images > 1 else 0, head if heads > 1 else 0]


class _Rows:
    """Two buffers, and the softmaxed scores of some queries of one head."""

    def __init__(self, q, k, bias, scale, chunk):
        self.q, self.k, self.bias, self.scale = q, k, bias, scale
        size = min(chunk, q.shape[2]) * k.shape[2]
        self.buffers = q.new_empty(size), q.new_empty(size)

    def space(self, which, count):
        length = self.k.shape[2]
        return self.buffers[which][: count * length].view(count, length)

    def weights(self, image, head, rows):
        """(queries, Lk), in the second buffer."""
        q = self.q[image, head, rows] * self.scale
        k = self.k[image, head].T
        scores = self.space(0, len(q))
        if self.bias.values is None:
            torch.mm(q, k, out=scores)
        else:
            self.bias.fill(scores, image, head, rows)
            scores.addmm_(q, k)
        return torch.softmax(scores, -1, out=self.space(1, len(q)))


class _Chunked(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, v, values, index, scale, chunk):
        n, heads, length, _ = q.shape
        out = v.new_empty(n, length, heads, v.shape[-1]).transpose(1, 2)
        with torch.autocast(q.device.type, enabled=False):
            work = _Rows(q, k, _Bias(values, index, q.dtype), scale, chunk)
            for image, head in product(range(n), range(heads)):
                for rows in _chunks(length, chunk):
                    weights = work.weights(image, head, rows)
                    out[image, head, rows] = weights @ v[image, head]
        ctx.save_for_backward(q, k, v, values, index, out)
        ctx.scale, ctx.chunk = scale, chunk
        return out

    @staticmethod
    def backward(ctx, grad):
        q, k, v, values, index, out = ctx.saved_tensors
        bias = _Bias(values, index, q.dtype)
        if values is not None and ctx.needs_input_grad[3]:
            bias.want_gradient()
        with torch.autocast(q.device.type, enabled=False):
            inner = (grad.float() * out.float()).sum(-1, keepdim=True).to(v.dtype)
            grads = _gradients(_Rows(q, k, bias, ctx.scale, ctx.chunk), v, grad, inner, ctx.chunk)
        return *grads, bias.gradient(None if values is None else values.shape), None, None, None


def _gradients(work, v, grad, inner, chunk):
    """Of queries, keys and values: sums over chunks in float32."""
    grads = [torch.empty_like(one) for one in (work.q, work.k, v)]
    for image, head in product(range(v.shape[0]), range(v.shape[1])):
        q, k, values = work.q[image, head], work.k[image, head], v[image, head]
        sum_k, sum_v = (torch.zeros_like(one, dtype=torch.float32) for one in (k, values))
        for rows in _chunks(len(q), chunk):
            weights, part = work.weights(image, head, rows), grad[image, head, rows].contiguous()
            _add(sum_v, weights.T, part)
            scores = torch.mm(part, values.T, out=work.space(0, len(part)))
            scores.sub_(inner[image, head, rows]).mul_(weights)
            work.bias.add(scores, image, head, rows)
            grads[0][image, head, rows] = (scores @ k).mul_(work.scale)
            _add(sum_k, scores.T, q[rows])
        grads[1][image, head], grads[2][image, head] = sum_k.mul_(work.scale), sum_v
    return grads


def _add(total, a, b):
    """total += a b."""
    if a.dtype == total.dtype:
        total.addmm_(a, b)
    else:
        total.add_(a @ b)
