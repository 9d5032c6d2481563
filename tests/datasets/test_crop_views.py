"""One crop at two resolutions."""

import numpy as np
import pytest
import torch
from PIL import Image

from mmmim.datasets import RandomFlip, RandomResizedCrop, RandomResizedCropViews
from mmmim.datasets.randomness import sample_rng

VIEWS = dict(tokenizer=dict(size=16, interpolation='lanczos'), small=dict(size=(8, 24)))


def sample(picture, index=0):
    image = torch.from_numpy(picture(97, 120)).permute(2, 0, 1)
    return dict(image=image, rng=sample_rng(0, 0, index))


def test_both_views_show_the_same_crop(picture):
    transform = RandomResizedCropViews(32, views=VIEWS)
    box = transform.draw(97, 120, sample(picture)['rng'].random)
    top, left, h, w = box
    results = transform(sample(picture))
    crop = Image.fromarray(picture(97, 120)[top : top + h, left : left + w])
    expected = np.asarray(crop.resize((16, 16), Image.LANCZOS))
    assert np.array_equal(results['tokenizer'].permute(1, 2, 0).numpy(), expected)
    close = np.asarray(crop.resize((24, 8), Image.BICUBIC)).astype(int)
    assert abs(results['small'].permute(1, 2, 0).numpy() - close).max() <= 1
    assert results['tokenizer'].dtype == torch.uint8


def test_the_image_is_that_of_the_plain_crop(picture):
    plain = RandomResizedCrop(32, scale=(0.08, 1.0))(sample(picture))
    assert torch.equal(
        RandomResizedCropViews(32, views=VIEWS)(sample(picture))['image'], plain['image']
    )


def test_a_flip_before_it_reaches_every_view(picture):
    flipped = RandomFlip(prob=1.0)(sample(picture))
    flipped['rng'] = sample(picture)['rng']
    results = RandomResizedCropViews(32, scale=(1, 1), ratio=(120 / 97, 120 / 97), views=VIEWS)(
        flipped
    )
    straight = RandomResizedCropViews(32, scale=(1, 1), ratio=(120 / 97, 120 / 97), views=VIEWS)(
        sample(picture)
    )
    for name in ('image', 'tokenizer', 'small'):
        difference = results[name].flip(-1).int() - straight[name].int()
        assert difference.abs().max() <= 1


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(ValueError, match="interpolation='area' of view 'x' must be one of"):
        RandomResizedCropViews(32, views=dict(x=dict(size=8, interpolation='area')))
