"""ViTDet's pyramid against its definition, at any size."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS, DefaultScope
from test_deconv_pyramid import slow_deconv

import mmmim.registry  # noqa: F401
from mmmim.models.necks import SimpleFeaturePyramid


def norm(x, layer):
    """Over the channels of each cell."""
    mean, var = x.mean(1, keepdim=True), x.var(1, keepdim=True, unbiased=False)
    scale, shift = (p.view(1, -1, 1, 1) for p in (layer.weight, layer.bias))
    return (x - mean) / (var + 1e-6).sqrt() * scale + shift


def to_level(x, level):
    _, first, first_norm, second, second_norm = level
    x = norm(torch.einsum('nchw,dc->ndhw', x, first.weight[..., 0, 0]), first_norm)
    padded = F.pad(x, (1, 1, 1, 1))
    height, width = x.shape[-2:]
    total = sum(
        torch.einsum(
            'nchw,dc->ndhw', padded[..., i : i + height, j : j + width], second.weight[..., i, j]
        )
        for i in range(3)
        for j in range(3)
    )
    return norm(total, second_norm)


def test_levels_follow_the_definition():
    torch.manual_seed(0)
    neck = SimpleFeaturePyramid(8, 6, num_outs=5)
    neck.init_weights()
    for parameter in neck.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, mean=1.0, std=0.3)
    x = torch.randn(2, 8, 5, 7)
    up, up_norm, _, up_again = neck.levels[0][0]
    assert up.out_channels == 4 and up_again.out_channels == 2
    four = slow_deconv(F.gelu(norm(slow_deconv(x, up), up_norm)), up_again)
    two = slow_deconv(x, neck.levels[1][0][0])
    half = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 2)
    outs = neck((torch.full_like(x, torch.nan), x))  # the last map alone is read
    for out, source, level in zip(outs, (four, two, x, half), neck.levels):
        torch.testing.assert_close(out, to_level(source, level), atol=1e-5, rtol=1e-4)
    assert [out.shape[-2:] for out in outs] == [(20, 28), (10, 14), (5, 7), (3, 4), (2, 2)]
    assert outs[4].equal(outs[3][:, :, ::2, ::2])


def test_it_is_found_from_mmdet_and_reads_one_map():
    pytest.importorskip('mmdet.models')
    cfg = dict(type='mmmim.SimpleFeaturePyramid', in_channels=8, rescales=(2, 1, 0.25))
    with DefaultScope.overwrite_default_scope('mmdet'):
        neck = MODELS.build(cfg)
    outs = neck(torch.randn(1, 8, 4, 4))
    assert [out.shape for out in outs] == [(1, 256, side, side) for side in (8, 4, 1)]
    sum(out.sum() for out in outs).backward()
    assert all(parameter.grad is not None for parameter in neck.parameters())


def test_what_does_not_fit():
    for options, said in (
        (dict(rescales=(3,)), 'powers of two'),
        (dict(in_channels=6), 'cannot be divided by 4'),
        (dict(num_outs=3), 'num_outs 3 is less than the 4 levels'),
    ):
        with pytest.raises(ValueError, match=said):
            SimpleFeaturePyramid(**{'in_channels': 8, **options})
    with pytest.raises(ValueError, match=r"got \(1, 16, 8\).*out_type='featmap'"):
        SimpleFeaturePyramid(8)(torch.randn(1, 16, 8))
