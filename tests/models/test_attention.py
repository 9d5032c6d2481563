"""Attention against loops, and its dropout in numbers."""

import math

import pytest
import torch

from mmmim.models.attention import attend


def loop_attention(q, k, v, bias=None):
    """softmax(q k^T / sqrt(d) + bias) v in float64, one query at a time."""
    q, k, v = q.double(), k.double(), v.double()
    out = torch.zeros(*q.shape[:3], v.shape[-1], dtype=torch.float64)
    for n in range(q.shape[0]):
        for h in range(q.shape[1]):
            for i in range(q.shape[2]):
                scores = [q[n, h, i].dot(key).item() / math.sqrt(q.shape[-1]) for key in k[n, h]]
                if bias is not None:
                    scores = [s + b for s, b in zip(scores, bias[n, h, i].tolist())]
                weights = [math.exp(s - max(scores)) for s in scores]
                total = sum(weights)
                for weight, value in zip(weights, v[n, h]):
                    out[n, h, i] += weight / total * value
    return out


@pytest.fixture
def qkv():
    return torch.randn(2, 3, 5, 8), torch.randn(2, 3, 7, 8), torch.randn(2, 3, 7, 8)


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('biased', [False, True])
def test_attention_equals_the_loop(qkv, dtype, biased):
    bias = torch.randn(2, 3, 5, 7) if biased else None
    q, k, v = (x.to(dtype) for x in qkv)
    out = attend(q, k, v, bias=None if bias is None else bias.to(dtype))
    assert out.dtype == dtype
    tolerance = 1e-6 if dtype == torch.float32 else 3e-2
    expected = loop_attention(q, k, v, bias)
    torch.testing.assert_close(out.double(), expected, rtol=tolerance, atol=tolerance)


def weights_of(q, k, dropout_p):
    """The attention matrix itself: with an identity as values."""
    identity = torch.eye(k.shape[2]).expand(*k.shape[:2], -1, -1)
    return attend(q, k, identity, dropout_p=dropout_p)


@pytest.mark.parametrize('p', [0.1, 0.3])
def test_dropout_takes_single_edges_and_rescales_the_rest(p):
    """Standard dropout on the softmaxed matrix: P(edge = 0) = p, survivors grow by 1 / (1 - p)."""
    q, k = torch.randn(20, 4, 16, 8), torch.randn(20, 4, 16, 8)
    kept, dropped = weights_of(q, k, 0.0), weights_of(q, k, p)
    zero = dropped == 0
    edges = zero.numel()
    assert abs(zero.float().mean() - p) < 5 * (p * (1 - p) / edges) ** 0.5
    torch.testing.assert_close(dropped[~zero], (kept / (1 - p))[~zero])
    # Edges fall independently of each other: neither whole rows, columns nor heads.
    for dim in ((3,), (2,), (1,), (0,)):
        share = zero.float().mean(dim)
        size = math.prod(zero.shape[d] for d in dim)
        assert abs(share.var() * size - p * (1 - p)) < 0.05


def test_every_call_draws_anew():
    q, k = torch.randn(1, 2, 16, 8), torch.randn(1, 2, 16, 8)
    assert not torch.equal(weights_of(q, k, 0.3) == 0, weights_of(q, k, 0.3) == 0)


def test_gradients_do_not_depend_on_the_path(qkv):
    """The plain product (taken for a dropout of almost nothing) against the fused kernel."""
    grads = []
    for dropout_p in (0.0, 1e-12):
        q, k, v = (x.clone().requires_grad_() for x in qkv)
        attend(q, k, v, dropout_p=dropout_p).square().sum().backward()
        grads.append((q.grad, k.grad, v.grad))
    torch.testing.assert_close(*grads, rtol=1e-5, atol=1e-6)
