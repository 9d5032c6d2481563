"""The pyramid against its definition, at any size, in mmdet's and mmseg's places."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS, DefaultScope

import mmmim.registry  # noqa: F401
from mmmim.models.necks import DeconvPyramid

BN = dict(type='BN')


def maps(channels=8, size=(5, 7), count=4):
    torch.manual_seed(0)
    return tuple(torch.randn(2, channels, *size) for _ in range(count))


def slow_deconv(x, layer):
    """Each input cell paints a 2 x 2 block."""
    n, _, h, w = x.shape
    out = layer.bias.view(1, -1, 1, 1).expand(n, -1, 2 * h, 2 * w).clone()
    for i in range(h):
        for j in range(w):
            block = torch.einsum('nc,cdyx->ndyx', x[:, :, i, j], layer.weight)
            out[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] += block
    return out


def test_levels_follow_the_definition():
    inputs = maps()
    neck = DeconvPyramid(8, norm_cfg=BN)
    four, two, one, half = neck(inputs)
    first, norm, _, second = neck.levels[0]
    x = slow_deconv(inputs[0], first)
    mean, var = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, unbiased=False)
    x = (x - mean) / (var + norm.eps).sqrt()
    torch.testing.assert_close(four, slow_deconv(F.gelu(x), second), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(two, slow_deconv(inputs[1], neck.levels[1][0]))
    assert one is inputs[2]
    expected = [
        [inputs[3][..., i : i + 2, j : j + 2].amax((2, 3)) for j in (0, 2, 4, 6)] for i in (0, 2, 4)
    ]
    assert half.equal(torch.stack([torch.stack(row, -1) for row in expected], -2))


@pytest.mark.parametrize('size', [(4, 4), (5, 7), (1, 3), (38, 21)])
@pytest.mark.parametrize('rescales', [(4, 2, 1, 0.5), (2, 1, 0.5, 0.25), (8, 4), (1,)])
def test_any_size_and_any_patch(size, rescales):
    neck = DeconvPyramid(4, rescales=rescales, norm_cfg=BN)
    levels = neck(maps(4, size, len(rescales)))
    for level, factor in zip(levels, rescales):
        assert level.shape == (2, 4, *(-int(-side * factor // 1) for side in size))


def test_one_map_serves_all_levels():
    neck = DeconvPyramid(4, norm_cfg=BN).eval()
    x = maps(4)[0]
    for a, b in zip(neck(x), neck([x] * 4)):
        assert a.equal(b)


@pytest.mark.parametrize('norm', ['SyncBN', 'BN', 'GN'])
def test_norms(norm):
    cfg = dict(type=norm, num_groups=2) if norm == 'GN' else dict(type=norm)
    neck = DeconvPyramid(4, norm_cfg=cfg)
    assert type(neck.levels[0][1]).__name__ in ('SyncBatchNorm', 'BatchNorm2d', 'GroupNorm')
    if norm == 'SyncBN':
        assert isinstance(DeconvPyramid(4).levels[0][1], torch.nn.SyncBatchNorm)
    else:
        sum(level.sum() for level in neck(maps(4))).backward()
        assert all(p.grad is not None for p in neck.parameters())


def test_widths_of_a_given_head():
    widths = [16, 4, 8, 12]
    neck = DeconvPyramid(8, out_channels=widths, norm_cfg=BN)
    assert [level.shape[1] for level in neck(maps())] == widths
    assert isinstance(neck.projections[2], torch.nn.Identity)
    with pytest.raises(ValueError, match=r'out_channels \[4, 8\] do not fit the 4 levels'):
        DeconvPyramid(8, out_channels=[4, 8])


def test_wrong_use_is_named():
    for factor in (3, 0, -1, 0.75):
        with pytest.raises(ValueError, match=f'powers of two.*got {factor}'):
            DeconvPyramid(8, rescales=(1, factor))
    with pytest.raises(ValueError, match='4 levels.*got 3 maps'):
        DeconvPyramid(8)(maps(count=3))
    with pytest.raises(ValueError, match="in_channels=16.*out_type='featmap'"):
        DeconvPyramid(16)(maps())
    with pytest.raises(ValueError, match="out_type='featmap'"):
        DeconvPyramid(8)([torch.zeros(2, 10, 8)] * 4)


def test_it_is_found_from_mmseg():
    pytest.importorskip('mmseg.models')
    with DefaultScope.overwrite_default_scope('mmseg'):
        from mmseg.registry import MODELS as MMSEG

        assert isinstance(
            MMSEG.build(dict(type='mmmim.DeconvPyramid', in_channels=4)), DeconvPyramid
        )


def test_a_list_of_necks_as_mmdet_builds_it():
    pytest.importorskip('mmdet.models')
    necks = [
        dict(type='mmmim.DeconvPyramid', in_channels=8, norm_cfg=BN),
        dict(type='mmdet.FPN', in_channels=[8] * 4, out_channels=6, num_outs=5),
    ]
    levels = MODELS.build(necks)(maps(size=(8, 12)))
    assert [tuple(x.shape[1:]) for x in levels] == [
        (6, 32, 48), (6, 16, 24), (6, 8, 12), (6, 4, 6), (6, 2, 3)
    ]  # fmt: skip
