import math
import random

import numpy as np
import pytest
import torch
from mmengine.registry import TRANSFORMS
from PIL import Image, ImageOps
from torchvision.transforms.v2 import functional as F

from mmmim.datasets.augmentations import (
    ColorJitter,
    GaussianBlur,
    RandomGrayscale,
    Solarize,
    blur,
)
from mmmim.datasets.randomness import sample_rng

ADJUST = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]


@pytest.fixture
def image(picture):
    return torch.from_numpy(picture(40, 52).copy()).permute(2, 0, 1)


def run(transform, image, index=0, epoch=0):
    return transform(dict(image=image, rng=sample_rng(0, epoch, index)))['image']


def draws(transform, count):
    return [transform.draw(sample_rng(0, 0, index).random) for index in range(count)]


def test_jitter_is_torchvisions_functions_in_the_order_drawn(image):
    jitter = ColorJitter(0.4, 0.4, 0.2, 0.1)
    orders = set()
    for index in range(6):
        expected = image
        steps = draws(jitter, 6)[index]
        orders.add(tuple(kind for kind, _ in steps))
        for kind, value in steps:
            expected = ADJUST[kind](expected, value)
        result = run(jitter, image, index)
        assert torch.equal(result, expected) and not torch.equal(result, image)
        assert result.dtype == torch.uint8
    assert len(orders) > 3


def test_jitter_draws_uniform_factors_and_orders():
    steps = draws(ColorJitter(0.4, 1.5, 0.2, 0.1, prob=0.8), 4000)
    applied = [dict(step) for step in steps if step]
    assert abs(len(applied) / 4000 - 0.8) < 4 * math.sqrt(0.16 / 4000)
    for kind, (low, high) in enumerate([(0.6, 1.4), (0, 2.5), (0.8, 1.2), (-0.1, 0.1)]):
        values = np.array([step[kind] for step in applied])
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 4 * (high - low) / math.sqrt(12 * 3000)
        first = np.mean([step[0][0] == kind for step in steps if step])
        assert abs(first - 0.25) < 4 * math.sqrt(0.1875 / 3000)


def test_jitter_leaves_alone_what_has_no_strength(image):
    assert {step[0] for steps in draws(ColorJitter(brightness=0.4), 20) for step in steps} == {0}
    assert torch.equal(run(ColorJitter(), image), image)
    assert torch.equal(run(ColorJitter(0.4, 0.4, 0.4, 0.1, prob=0), image), image)


def test_blur_is_a_gaussian_window(image):
    """Against the weighted mean written from the formula, borders mirrored."""
    sigma, source = 1.3, image.double().numpy()
    reach = math.ceil(3 * sigma)
    window = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    window = np.outer(window, window) / window.sum() ** 2
    padded = np.pad(source, [(0, 0), (reach, reach), (reach, reach)], mode='reflect')
    result = blur(image, sigma).numpy()
    for y, x in [(0, 0), (0, 51), (39, 3), (20, 20), (39, 51)]:
        patch = padded[:, y : y + 2 * reach + 1, x : x + 2 * reach + 1]
        assert np.abs(result[:, y, x] - (patch * window).sum((1, 2))).max() <= 0.501


@pytest.mark.parametrize('sigma', [0.1, 0.7, 2.0])
def test_blur_equals_torchvision_with_its_square_kernel(image, sigma):
    side = 2 * math.ceil(3 * sigma) + 1
    theirs = F.gaussian_blur(image, [side, side], [sigma, sigma])
    difference = (blur(image, sigma).int() - theirs.int()).abs()
    assert difference.max() <= 1 and difference.float().mean() < 0.01


def test_blur_of_an_image_smaller_than_its_kernel():
    image = torch.randint(0, 256, (3, 4, 9), dtype=torch.uint8)
    assert blur(image, 5.0).shape == image.shape


def test_blur_widths_are_uniform():
    widths = draws(GaussianBlur((0.1, 2.0), prob=0.5), 4000)
    values = np.array([value for value in widths if value is not None])
    assert abs(len(values) / 4000 - 0.5) < 4 * math.sqrt(0.25 / 4000)
    assert 0.1 <= values.min() < 0.12 and 1.98 < values.max() <= 2.0
    assert abs(values.mean() - 1.05) < 4 * 1.9 / math.sqrt(12 * 2000)


@pytest.mark.parametrize('threshold', [0, 100, 128, 255])
def test_solarize_equals_torchvision(image, threshold):
    ours = run(Solarize(1.0, threshold), image)
    pil = Image.fromarray(image.permute(1, 2, 0).numpy())
    theirs = np.asarray(ImageOps.solarize(pil, threshold))
    assert np.array_equal(ours.permute(1, 2, 0).numpy(), theirs)
    assert torch.equal(ours, F.solarize(image, threshold))


def test_grayscale_equals_torchvision(image):
    grey = run(RandomGrayscale(1.0), image)
    assert torch.equal(grey, F.rgb_to_grayscale(image, num_output_channels=3))
    assert torch.equal(grey[0], grey[2])


@pytest.mark.parametrize('kind', [RandomGrayscale, Solarize])
def test_chances(kind, image):
    image = image[:, :8, :8]
    changed = [not torch.equal(run(kind(0.2), image, i), image) for i in range(1000)]
    assert abs(np.mean(changed) - 0.2) < 4 * math.sqrt(0.16 / 1000)


@pytest.mark.parametrize(
    'transform',
    [ColorJitter(0.4, 0.4, 0.2, 0.1), GaussianBlur(prob=0.9), RandomGrayscale(0.5), Solarize(0.5)],
    ids=lambda t: type(t).__name__,
)
def test_functions_of_seed_epoch_and_index(transform, image):
    before = image.clone()
    first = [run(transform, image, i) for i in range(12)]
    np.random.seed(5)
    torch.manual_seed(5)
    random.seed(5)
    assert all(torch.equal(run(transform, image, i), first[i]) for i in range(12))
    other = [run(transform, image, i, epoch=1) for i in range(12)]
    assert not all(torch.equal(a, b) for a, b in zip(first, other))
    assert torch.equal(image, before)


@pytest.mark.parametrize(
    'transform', [ColorJitter(0.4, prob=0.5), GaussianBlur(prob=0.5)], ids=['jitter', 'blur']
)
def test_as_many_numbers_are_drawn_whatever_comes_out(transform, image):
    left = []
    for prob in (0.0, 1.0):
        transform.prob, rng = prob, sample_rng(0, 0, 0)
        transform(dict(image=image, rng=rng))
        left.append(rng.random())
    assert left[0] == left[1]


@pytest.mark.parametrize(
    'config, message',
    [
        (dict(type='mmmim.ColorJitter', brightness=-1), 'brightness=-1 must not be negative'),
        (dict(type='mmmim.ColorJitter', hue=0.6), r'hue=0.6 must lie in \[0, 0.5\]'),
        (dict(type='mmmim.ColorJitter', prob=1.5), 'prob=1.5'),
        (dict(type='mmmim.GaussianBlur', sigma=(0, 1)), r'sigma=\(0, 1\)'),
        (dict(type='mmmim.Solarize', threshold=300), 'threshold=300'),
        (dict(type='mmmim.RandomGrayscale', prob=-0.1), 'prob=-0.1'),
    ],
)
def test_wrong_options(config, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build(config)
