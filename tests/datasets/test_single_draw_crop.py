"""The crop of the linear probes against its formula."""

import math

import numpy as np
import pytest
from PIL import Image

from mmmim.datasets import SingleDrawResizedCrop


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)


def expected_box(height, width, seed):
    """In the order of the draws."""
    rng = np.random.RandomState(seed)
    area = rng.uniform(0.08, 1.0) * height * width
    aspect = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
    w = min(round(math.sqrt(area * aspect)), width)
    h = min(round(math.sqrt(area / aspect)), height)
    top = rng.randint(0, height - h + 1)
    return top, rng.randint(0, width - w + 1), h, w


def test_the_shape_is_drawn_once_and_cut_down():
    transform, cut = SingleDrawResizedCrop(16), 0
    for seed in range(200):
        np.random.seed(seed)
        top, left, h, w = transform.draw(60, 20)
        assert (top, left, h, w) == expected_box(60, 20, seed)
        assert 0 <= top <= 60 - h and 0 <= left <= 20 - w
        cut += w == 20 and w / h < 0.74
    assert cut > 5  # too wide for the image: others would draw again


def test_it_shows_what_it_drew(image):
    transform = SingleDrawResizedCrop(16)
    np.random.seed(3)
    results = transform(dict(img=image))
    top, left, h, w = expected_box(60, 40, 3)
    crop = Image.fromarray(image[top : top + h, left : left + w])
    assert np.array_equal(results['img'], np.asarray(crop.resize((16, 16), Image.BICUBIC)))
    assert results['img_shape'] == (16, 16, 3)


@pytest.mark.parametrize('wrong', [dict(scale=0), dict(scale=8, crop_ratio_range=(0.5, 0.1))])
def test_values_outside_their_range(wrong):
    with pytest.raises(ValueError, match='SingleDrawResizedCrop'):
        SingleDrawResizedCrop(**wrong)
