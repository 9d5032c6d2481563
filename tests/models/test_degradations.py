"""Distortion, blur and de-colour against loops written from their formulas; what is drawn."""

import math

import numpy as np
import pytest
import torch

from mmmim.models.corruptions import Decolor, FisheyeDistortion, RandomBlur, ZoomOut
from mmmim.models.randomness import counter_normal, counter_uniform

H, W, N = 9, 12, 3


@pytest.fixture
def views():
    return make(N)


def make(samples, height=H, width=W, epoch=0):
    index = torch.arange(samples)
    image = torch.randn(samples, 3, height, width)
    return dict(image=image, sample_index=index, epoch=torch.full_like(index, epoch))


def loop_fisheye(image, centre, magnitude):
    """Shows at x what stands at x + m |d| d, d the way to the centre: (C, H, W), bilinear."""
    channels, height, width = image.shape
    out = np.zeros(image.shape)
    for i in range(height):
        for j in range(width):
            x, y = -1 + 2 * j / (width - 1), -1 + 2 * i / (height - 1)
            dx, dy = centre[0] - x, centre[1] - y
            length = math.hypot(dx, dy)
            column = (x + dx * length * magnitude + 1) / 2 * (width - 1)
            row = (y + dy * length * magnitude + 1) / 2 * (height - 1)
            for a in (math.floor(row), math.floor(row) + 1):
                for b in (math.floor(column), math.floor(column) + 1):
                    if 0 <= a < height and 0 <= b < width:
                        weight = (1 - abs(row - a)) * (1 - abs(column - b))
                        out[:, i, j] += weight * image[:, a, b]
    return out


def test_fisheye_equals_the_loop(views):
    images = FisheyeDistortion(seed=4)(views).images
    where = dict(seed=4, epoch=views['epoch'], sample_index=views['sample_index'])
    centre = counter_uniform(**where, count=2, stream=21) * 2 - 1
    magnitude = counter_uniform(**where, count=1, stream=22) * 0.1 + 0.15
    for n in range(N):
        image = views['image'][n].double().numpy()
        expected = loop_fisheye(image, centre[n].tolist(), magnitude[n].item())
        np.testing.assert_allclose(images[n].numpy(), expected, atol=1e-4)
    assert (images - views['image']).abs().mean() > 0.1


def test_fisheye_never_looks_outside_and_can_be_switched_off():
    """Without padding a constant image stays as it is, whatever the centre."""
    views = make(200, 8, 8)
    views['image'] = torch.ones_like(views['image'])
    images = FisheyeDistortion(magnitude=(0.353, 0.353), seed=0)(views).images
    torch.testing.assert_close(images, views['image'], rtol=0, atol=1e-5)
    views = make(N)
    same = FisheyeDistortion(magnitude=(0.0, 0.0))(views).images
    torch.testing.assert_close(same, views['image'], rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match=r'magnitude=\(0.2, 0.5\) must be .* < 0.35'):
        FisheyeDistortion(magnitude=(0.2, 0.5))


def loop_blur(image, weight, bias, depthwise):
    """Cross-correlation with zeros around: (C, H, W)."""
    channels, height, width = image.shape
    k = weight.shape[-1]
    padded = np.pad(image, ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    out = np.zeros(image.shape)
    for o in range(channels):
        for i in range(height):
            for j in range(width):
                window = padded[:, i : i + k, j : j + k]
                window = window[o : o + 1] if depthwise else window
                out[o, i, j] = (window * weight[o]).sum() + (0 if bias is None else bias[o])
    return out


@pytest.mark.parametrize('options', [{}, dict(depthwise=True), dict(bias=None, kernel_size=5)])
def test_blur_equals_the_loop(views, options):
    blur = RandomBlur(seed=1, **options)
    weight, bias = blur.kernels(views)
    images = blur(views).images
    for n in range(N):
        expected = loop_blur(
            views['image'][n].double().numpy(),
            weight[n].double().numpy(),
            None if bias is None else bias[n].double().numpy(),
            options.get('depthwise', False),
        )
        np.testing.assert_allclose(images[n].numpy(), expected, atol=1e-4)


def test_kernels_are_drawn_as_specified():
    """Normal around 1 / 49 with deviation 0.02; biases uniform in +-1 / sqrt(147), torch's own."""
    views = make(300)
    weight, bias = RandomBlur(seed=0).kernels(views)
    assert weight.shape == (300, 3, 3, 7, 7) and bias.shape == (300, 3)
    assert weight.mean().item() == pytest.approx(1 / 49, abs=2e-4)
    assert weight.std().item() == pytest.approx(0.02, rel=0.01)
    spread = (weight - 1 / 49).div(0.02).flatten()
    assert (spread.abs() < 1).float().mean().item() == pytest.approx(0.6827, abs=0.005)
    bound = 147**-0.5
    assert 0.98 * bound < bias.abs().max() <= bound and bias.mean().abs() < 0.01
    assert len(weight.flatten(1).unique(dim=0)) == 300 and len(bias.unique(dim=0)) == 300
    assert RandomBlur(depthwise=True).kernels(views)[0].shape == (300, 3, 1, 7, 7)


def test_the_bias_of_a_run_is_one_for_all_epochs():
    blur = RandomBlur(seed=0, bias='run')
    (weight, bias), (later, same) = blur.kernels(make(N)), blur.kernels(make(N, epoch=7))
    assert not torch.equal(weight, later) and torch.equal(bias, same)
    assert len(bias.unique(dim=0)) == 1
    assert not torch.equal(RandomBlur(seed=1, bias='run').kernels(make(N))[1], bias)
    with pytest.raises(ValueError, match="bias must be one of .* got 'batch'"):
        RandomBlur(bias='batch')
    with pytest.raises(ValueError, match='kernel_size must be odd and positive, got 4'):
        RandomBlur(kernel_size=4)


@pytest.mark.parametrize('per_batch', [False, True])
@pytest.mark.parametrize('channels', [1, 3])
def test_decolour_equals_the_loop(views, channels, per_batch):
    images = Decolor(out_channels=channels, seed=2, per_batch=per_batch)(views).images
    assert images.shape == (N, channels, H, W)
    where = dict(seed=2, epoch=views['epoch'], sample_index=views['sample_index'])
    weights = counter_uniform(**where, count=3, stream=25) * 0.667
    for n in range(N):
        red, green, blue = (weights[0 if per_batch else n, c].item() for c in range(3))
        for i in range(H):
            for j in range(W):
                r, g, b = views['image'][n, :, i, j].tolist()
                expected = [red * r + green * g + blue * b] * channels
                assert images[n, :, i, j].tolist() == pytest.approx(expected, abs=1e-5)


def test_decolour_weights_fill_their_range():
    views = make(500, 1, 1)
    views['image'] = torch.eye(3)[torch.arange(500) % 3].reshape(500, 3, 1, 1)
    weights = Decolor(seed=0)(views).images.flatten()
    assert weights.min() < 0.01 and 0.65 < weights.max() < 0.667
    assert weights.mean().item() == pytest.approx(0.3335, abs=0.02)
    with pytest.raises(ValueError, match='max_weight=0 and out_channels=1 must be positive'):
        Decolor(max_weight=0)


@pytest.mark.parametrize(
    'degradation',
    [FisheyeDistortion(), RandomBlur(), Decolor(), ZoomOut(size=64, patch_size=4)],
    ids=lambda part: type(part).__name__,
)
def test_draws_are_functions_of_seed_epoch_and_sample(degradation):
    def run(views, seed=0):
        torch.manual_seed(seed)
        torch.rand(3)
        return degradation(views)

    views = make(8)
    result = run(views)
    assert result.mask is None and degradation.predicts == 'all' and not degradation.masks
    assert (result.geometry is not None) is degradation.geometric
    assert torch.equal(run(views).images, result.images)
    half = {name: view[4:] for name, view in views.items()}
    torch.testing.assert_close(run(half).images, result.images[4:], rtol=0, atol=1e-5)
    assert not torch.allclose(run(views, seed=1).images, result.images)
    later = {**views, 'epoch': views['epoch'] + 1}
    assert not torch.allclose(run(later).images, result.images)
    same = {**views, 'image': views['image'][:1].expand(8, -1, -1, -1)}
    assert len(run(same).images.flatten(1).unique(dim=0)) == 8
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(run(views).images, result.images)  # float32 also there


def test_normal_numbers():
    numbers = counter_normal(0, 0, torch.arange(100), 1001)
    assert numbers.shape == (100, 1001) and numbers.isfinite().all()
    assert numbers.mean().abs() < 0.01 and numbers.std().item() == pytest.approx(1, abs=0.01)
    assert numbers.pow(4).mean().item() == pytest.approx(3, abs=0.1)  # the normal's kurtosis
    pairs = torch.corrcoef(torch.stack([numbers[:, :500].flatten(), numbers[:, 501:].flatten()]))
    assert pairs[0, 1].abs() < 0.02
