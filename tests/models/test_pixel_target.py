"""Pixel targets against the formulas, in float64 loops, and back to pixels."""

import itertools
import math

import numpy as np
import pytest
import torch
from helpers.data import make_statistics

from mmmim.datasets.statistics import load_patch_stats
from mmmim.models.targets import PixelTarget

P, GRID = 4, (2, 3)
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
VARIANTS = list(itertools.product(['none', 'rgb', 'patch', 'batch'], [False, True]))
EPS = 1e-6


@pytest.fixture
def raw():
    """uint8 images whose channels and patches differ in level and contrast."""
    image = torch.randint(0, 256, (4, 3, GRID[0] * P, GRID[1] * P), dtype=torch.uint8)
    image[:, 1] //= 3
    image[0, :, :4] = image[0, :, :4] // 8 + 100
    return image


@pytest.fixture
def views(raw):
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (MEAN, STD))
    return dict(image=(raw.float() - mean) / std)


@pytest.fixture
def stats(tmp_path):
    return str(make_statistics(tmp_path, P))


def build(normalize, per_patch, stats, **options):
    if normalize == 'patch':
        options['stats'] = stats
    return PixelTarget(patch_size=P, normalize=normalize, per_patch=per_patch, **options)


def loop_patches(raw, value):
    """value(channel, pixel in [0, 1]) of every patch in the order (p, p, C): (N, L, T) float64."""
    n, _, height, width = raw.shape
    rows = []
    for image in raw.double().div(255).tolist():
        for top, left in itertools.product(range(0, height, P), range(0, width, P)):
            inside = itertools.product(range(top, top + P), range(left, left + P), range(3))
            rows.append([value(c, image[c][y][x]) for y, x, c in inside])
    return torch.tensor(rows, dtype=torch.float64).reshape(n, -1, P * P * 3)


def column_moments(patches):
    """Mean and biased variance of every patch dimension over all patches."""
    columns = list(zip(*patches.flatten(0, 1).tolist()))
    means = [math.fsum(column) / len(column) for column in columns]
    variances = [
        math.fsum((v - m) ** 2 for v in column) / len(column) for column, m in zip(columns, means)
    ]
    return np.array(means), np.array(variances)


def reference(raw, normalize, per_patch, stats, unbiased=True, scale=1.0):
    if normalize == 'rgb':
        patches = loop_patches(raw, lambda c, v: (v - MEAN[c] / 255) / (STD[c] / 255))
    else:
        patches = loop_patches(raw, lambda c, v: v * (scale if normalize == 'none' else 1.0))
    if normalize in ('patch', 'batch'):
        mean, var = load_patch_stats(stats, P) if normalize == 'patch' else column_moments(patches)
        patches = (patches - torch.tensor(mean)) / torch.tensor(var + EPS).sqrt()
    if not per_patch:
        return patches
    for patch in patches.flatten(0, 1):  # views: written in place
        values = patch.tolist()
        mean = math.fsum(values) / len(values)
        spread = math.fsum((v - mean) ** 2 for v in values) / (len(values) - unbiased)
        patch.copy_((patch - mean) / math.sqrt(spread + EPS))
    return patches


@pytest.mark.parametrize(('normalize', 'per_patch'), VARIANTS)
def test_target_equals_the_formula(raw, views, stats, normalize, per_patch):
    target = build(normalize, per_patch, stats)(views)
    assert target.dtype == torch.float32 and not target.requires_grad
    expected = reference(raw, normalize, per_patch, stats)
    torch.testing.assert_close(target.double(), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize('normalize', ['none', 'rgb', 'patch', 'batch'])
@pytest.mark.parametrize('unbiased', [True, False])
def test_the_divisor_of_the_patch_variance(raw, views, stats, normalize, unbiased):
    """T - 1 as in MAE's code by default, T as in Eq. 3 of Robust MAE: 1 % apart at T = 48."""
    target = build(normalize, True, stats, unbiased=unbiased)(views)
    expected = reference(raw, normalize, True, stats, unbiased=unbiased)
    torch.testing.assert_close(target.double(), expected, rtol=2e-5, atol=2e-5)
    other = reference(raw, normalize, True, stats, unbiased=not unbiased)
    assert (target - other).abs().max() > 1e-2


def test_unbiased_is_the_default(views):
    assert torch.equal(PixelTarget(P)(views), PixelTarget(P, unbiased=True)(views))


def test_raw_pixels_at_either_scale(raw, views):
    target = PixelTarget(P, normalize='none', per_patch=False, none_scale=255.0)(views)
    expected = reference(raw, 'none', False, None, scale=255.0)
    torch.testing.assert_close(target.double(), expected, rtol=0, atol=1e-3)


def test_statistics_of_the_batch_are_batch_norm_without_affine(raw, views):
    target = PixelTarget(P, normalize='batch', per_patch=False)(views)
    norm = torch.nn.BatchNorm1d(P * P * 3, eps=EPS, affine=False, track_running_stats=False)
    expected = norm(loop_patches(raw, lambda c, v: v).flatten(0, 1)).reshape(target.shape)
    torch.testing.assert_close(target.double(), expected, rtol=2e-5, atol=2e-5)


def test_eval_uses_the_statistics_of_its_own_batch(views):
    target = PixelTarget(P, normalize='batch', per_patch=False)
    assert torch.equal(target.train()(views), target.eval()(views))
    assert not torch.allclose(target(dict(image=views['image'][:2])), target(views)[:2])


def test_statistics_gathered_over_processes_are_those_of_the_whole_batch(views, monkeypatch):
    """Two processes with two images each, played one after the other."""
    from mmmim.models.targets import pixel

    halves, sums = views['image'].split(2), []
    target = PixelTarget(P, normalize='batch', per_patch=False, sync=True)
    monkeypatch.setattr(pixel.dist, 'is_initialized', lambda: True)
    monkeypatch.setattr(pixel.dist, 'all_reduce', lambda value: sums.append(value.clone()))
    target(dict(image=halves[1]))
    monkeypatch.setattr(pixel.dist, 'all_reduce', lambda value: value.add_(sums.pop(0)))
    first = target(dict(image=halves[0]))
    whole = PixelTarget(P, normalize='batch', per_patch=False)(views)
    torch.testing.assert_close(first, whole[:2], rtol=1e-6, atol=1e-6)
    assert sums == []


@pytest.mark.parametrize(('normalize', 'per_patch'), VARIANTS)
def test_the_target_maps_back_to_its_pixels(raw, views, stats, normalize, per_patch):
    target = build(normalize, per_patch, stats)
    rgb = target.to_rgb(target(views), views)
    torch.testing.assert_close(rgb, raw.float() / 255, rtol=0, atol=1e-5)
    assert target.needs_true_statistics is (per_patch or normalize == 'batch')


@pytest.mark.parametrize('normalize', ['none', 'rgb', 'patch'])
def test_a_target_free_of_the_image_maps_back_without_it(raw, views, stats, normalize):
    target = build(normalize, False, stats)
    rgb = target.to_rgb(target(views), grid=GRID)
    torch.testing.assert_close(rgb, raw.float() / 255, rtol=0, atol=1e-5)


@pytest.mark.parametrize(('normalize', 'per_patch'), [('rgb', True), ('batch', False)])
def test_one_that_is_not_says_so(views, normalize, per_patch):
    target = PixelTarget(P, normalize=normalize, per_patch=per_patch)
    with pytest.raises(ValueError, match='needs the views'):
        target.to_rgb(target(views), grid=GRID)


def test_the_grid_must_be_known(views):
    target = PixelTarget(P, per_patch=False)
    with pytest.raises(ValueError, match='needs the views or grid'):
        target.to_rgb(target(views))


def test_float32_under_autocast(views):
    target = PixelTarget(P)
    with torch.autocast('cpu', torch.bfloat16):
        inside = target(dict(image=views['image'].bfloat16().float()))
    assert torch.equal(inside, target(dict(image=views['image'].bfloat16().float())))


def test_a_flat_patch_is_finite():
    target = PixelTarget(P)(dict(image=torch.zeros(1, 3, 8, 8)))
    assert target.isfinite().all()


def test_statistics_travel_in_the_checkpoint(views, stats):
    state = build('patch', True, stats).state_dict()
    assert set(state) == {'patch_mean', 'patch_var'}
    assert set(PixelTarget(P).state_dict()) == set()


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(normalize='zca'), "normalize must be one of .* got 'zca'"),
        (dict(normalize='patch'), "normalize='patch' needs stats=FILE"),
        (dict(normalize='patch', stats='no.npz'), "'no.npz' do not exist"),
        (dict(stats='some.npz'), "only used by normalize='patch'"),
        (dict(mean=(1.0,)), 'mean and std need 3 values'),
        (dict(per_channel=True, per_patch=False), 'per_channel=True .* but per_patch is False'),
    ],
)
def test_options_are_checked(options, text):
    with pytest.raises(ValueError, match=text):
        PixelTarget(**options)


def test_statistics_of_another_patch_are_refused(stats):
    with pytest.raises(ValueError, match='made for patch_size=4'):
        PixelTarget(8, normalize='patch', stats=stats)


def test_a_corruption_with_geometry_is_refused(views):
    with pytest.raises(ValueError, match='geometry'):
        PixelTarget(P)(views, geometry=object())
