"""The transformer block against an unrolled one; stochastic depth and dropout counted."""

import math

import pytest
import torch

from mmmim.models.transformer import Block, SelfAttention, init_linear_

D, HEADS, HIDDEN = 8, 2, 12


def randomised(module):
    """Random values everywhere, so that no bias or scale hides behind its initial value."""
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module


def layer_norm(x, norm):
    centred = x - x.mean(-1, keepdim=True)
    variance = centred.square().mean(-1, keepdim=True)
    return centred / (variance + 1e-6).sqrt() * norm.weight + norm.bias


def loop_attention(x, attn):
    """Head by head, token by token."""
    out = torch.zeros_like(x)
    size = D // HEADS
    for n, sample in enumerate(x):
        q, k, v = (sample @ w.T + b for w, b in zip(attn.qkv.weight.chunk(3), _thirds(attn.qkv)))
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            for i in range(len(sample)):
                scores = torch.stack([q[i, part].dot(key) for key in k[:, part]]) / math.sqrt(size)
                out[n, i, part] = scores.exp() / scores.exp().sum() @ v[:, part]
    return out @ attn.proj.weight.T + attn.proj.bias


def _thirds(linear):
    return linear.bias.chunk(3) if linear.bias is not None else [0.0] * 3


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


@pytest.mark.parametrize('qkv_bias', [True, False])
@pytest.mark.parametrize('scale', [0.0, 0.1])
def test_block_equals_the_unrolled_one(qkv_bias, scale):
    block = randomised(Block(D, HEADS, HIDDEN, qkv_bias=qkv_bias, layer_scale_init_value=scale))
    block.double()
    x = torch.randn(2, 5, D, dtype=torch.float64)
    gamma1, gamma2 = (
        getattr(branch, name).weight if scale else 1.0
        for branch, name in ((block.attn, 'gamma1'), (block.ffn, 'gamma2'))
    )
    middle = x + gamma1 * loop_attention(layer_norm(x, block.ln1), block.attn)
    first, second = block.ffn.layers[0][0], block.ffn.layers[1]
    hidden = gelu(layer_norm(middle, block.ln2) @ first.weight.T + first.bias)
    expected = middle + gamma2 * (hidden @ second.weight.T + second.bias)
    torch.testing.assert_close(block(x), expected)


def branches(block, samples):
    """What each branch adds, relative to what it adds without dropping: (N,) twice."""
    x = torch.randn(samples, 3, D)
    block.eval()
    full = block.attn(x), block.ffn(x)
    block.train()
    dropped = block.attn(x), block.ffn(x)
    return [(d * f).flatten(1).sum(1) / f.square().flatten(1).sum(1) for d, f in zip(dropped, full)]


@pytest.mark.parametrize('p', [0.2, 0.5])
def test_stochastic_depth_drops_each_branch_once(p):
    """Whole branches per sample, kept with probability 1 - p (not its square), rescaled once."""
    samples = 4000
    factors = branches(randomised(Block(D, HEADS, HIDDEN, drop_path_rate=p)), samples)
    error = 5 * (p * (1 - p) / samples) ** 0.5
    for factor in factors:
        kept = factor.abs() > 1e-6
        assert abs(kept.float().mean() - (1 - p)) < error
        torch.testing.assert_close(factor[kept], torch.full_like(factor[kept], 1 / (1 - p)))
    both = ((factors[0].abs() > 1e-6) & (factors[1].abs() > 1e-6)).float().mean()
    assert abs(both - (1 - p) ** 2) < error  # the branches of a block fall independently


@pytest.mark.parametrize('branch', ['attn', 'ffn'])
def test_the_whole_block_drops_its_branches_once(branch):
    """As above, but through Block.forward, while the other branch adds nothing."""
    p, samples = 0.5, 4000
    block = randomised(Block(D, HEADS, HIDDEN, drop_path_rate=p)).train()
    other = block.ffn.layers[1] if branch == 'attn' else block.attn.proj
    torch.nn.init.zeros_(other.weight)
    torch.nn.init.zeros_(other.bias)
    x = torch.randn(1, 3, D).expand(samples, -1, -1)
    kept = (block(x) != x).flatten(1).any(1).float().mean()
    assert abs(kept - (1 - p)) < 5 * (p * (1 - p) / samples) ** 0.5


def edges(attn, samples=64, length=16):
    """The attention matrices of a layer whose projections let them through: (N, L, L)."""
    for parameter in attn.parameters():
        torch.nn.init.zeros_(parameter)
    width = attn.proj.weight.shape[0]
    attn.qkv.weight.data[2 * width :] = torch.eye(width)
    attn.proj.weight.data.copy_(torch.eye(width))
    return attn(torch.eye(length).expand(samples, -1, -1))


def test_attention_dropout_acts_in_training_only():
    p = 0.3
    attn = SelfAttention(16, 1, attn_drop_rate=p)
    torch.testing.assert_close(edges(attn.eval()), torch.full((64, 16, 16), 1 / 16))
    dropped = edges(attn.train())
    zero = dropped == 0
    assert abs(zero.float().mean() - p) < 5 * (p * (1 - p) / zero.numel()) ** 0.5
    torch.testing.assert_close(dropped[~zero], torch.full_like(dropped[~zero], 1 / 16 / (1 - p)))


def test_dropout_of_the_output_takes_values_not_edges():
    p = 0.25
    block = randomised(Block(D, HEADS, HIDDEN, drop_rate=p)).train()
    x = torch.randn(200, 3, D)
    for branch in (block.attn, block.ffn):
        zero = (branch(x) == 0).float().mean()
        assert abs(zero - p) < 5 * (p * (1 - p) / x.numel()) ** 0.5


def test_everything_is_deterministic_in_eval():
    block = randomised(
        Block(D, HEADS, HIDDEN, attn_drop_rate=0.5, drop_rate=0.5, drop_path_rate=0.5)
    ).eval()
    x = torch.randn(4, 3, D)
    assert torch.equal(block(x), block(x))


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match='num_heads 3 does not divide embed_dims 8'):
        Block(8, 3, 12)


def test_initial_weights():
    """Xavier uniform over the joint (3 D, D) matrix as in MAE's code; biases 0; norms 1 and 0."""
    block = randomised(Block(64, 4, 128))
    init_linear_(block)
    for linear in (block.attn.qkv, block.attn.proj, block.ffn.layers[0][0], block.ffn.layers[1]):
        bound = (6 / sum(linear.weight.shape)) ** 0.5
        assert 0.98 * bound < linear.weight.abs().max() <= bound
        assert abs(linear.weight.std() / (bound / 3**0.5) - 1) < 0.05
        assert not linear.bias.any()
    for norm in (block.ln1, block.ln2):
        assert (norm.weight == 1).all() and not norm.bias.any() and norm.eps == 1e-6
