"""Colour augmentation on normalised batches against torchvision, sample by sample."""

import pytest
import torch
from helpers.masks import random_mask
from torchvision.transforms.v2 import functional as F

from mmmim.models.corruptions import CutMix, RandomColorJitter
from mmmim.models.corruptions.color_jitter import shift_hue

MEAN = torch.tensor((123.675, 116.28, 103.53)).view(1, 3, 1, 1) / 255
STD = torch.tensor((58.395, 57.12, 57.375)).view(1, 3, 1, 1) / 255
N, SIZE = 24, 16
ADJUST = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)


def batch(start=0, count=N, epoch=0):
    images = torch.rand(N, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    images[0] = 0.5  # grey: no hue
    index = torch.arange(N)[start : start + count]
    return dict(
        image=((images - MEAN) / STD)[start : start + count],
        sample_index=index,
        epoch=torch.full_like(index, epoch),
    )


def pixels(images):
    return images * STD + MEAN


def test_it_is_torchvisions_arithmetic():
    views, jitter = batch(), RandomColorJitter()
    order, factors, gray = jitter.draw(views)
    result = pixels(jitter(views).images)
    for n in range(N):
        x = pixels(views['image'])[n].clamp(0, 1)
        for kind in [k for k in order[n].tolist() if k >= 0]:
            x = ADJUST[kind](x, factors[n, kind].item())
        x = F.rgb_to_grayscale(x, 3) if gray[n] else x
        torch.testing.assert_close(result[n], x, rtol=0, atol=2e-5)


def test_draws_have_the_given_odds_and_ranges():
    jitter = RandomColorJitter()
    index = torch.arange(4000)
    views = dict(image=index.view(-1, 1, 1, 1), sample_index=index, epoch=index * 0)
    order, factors, gray = jitter.draw(views)
    used = order[:, 0] >= 0
    assert used.float().mean().item() == pytest.approx(0.8, abs=0.03)
    assert gray.float().mean().item() == pytest.approx(0.2, abs=0.03)
    assert torch.equal(order[used].sort(1).values, torch.arange(4).expand(used.sum(), 4))
    assert len({tuple(row) for row in order[used].tolist()}) == 24
    for column, (low, high) in enumerate([(0.6, 1.4)] * 3 + [(-0.1, 0.1)]):
        assert factors[:, column].min().item() == pytest.approx(low, abs=0.01)
        assert factors[:, column].max().item() == pytest.approx(high, abs=0.01)


def test_it_is_a_function_of_seed_epoch_and_sample():
    jitter = RandomColorJitter(seed=3)
    whole = jitter(batch()).images
    torch.testing.assert_close(jitter(batch(4, 6)).images, whole[4:10])
    assert not torch.allclose(jitter(batch(epoch=1)).images, whole, atol=1e-2)
    assert not torch.allclose(RandomColorJitter(seed=4)(batch()).images, whole, atol=1e-2)


def test_hidden_pixels_do_not_reach_visible_ones():
    """Contrast refers to the mean grey value of what can be seen."""
    jitter, views = RandomColorJitter(prob=1.0), batch()
    views['hidden'] = random_mask(N, (4, 4), 12)
    wide = views['hidden'].repeat_interleave(4, 1).repeat_interleave(4, 2).unsqueeze(1)
    other = dict(views, image=torch.where(wide, torch.randn_like(views['image']), views['image']))
    first, second = (torch.where(wide, 0.0, jitter(v).images) for v in (views, other))
    assert torch.equal(first, second)
    whole = {name: view for name, view in views.items() if name != 'hidden'}
    assert not torch.allclose(torch.where(wide, 0.0, jitter(whole).images), first, atol=1e-3)


def test_hue_of_any_shift():
    images, shift = torch.rand(5, 3, 6, 6), torch.tensor([-0.5, -0.2, 0.0, 0.3, 0.5])
    expected = [F.adjust_hue(x, s) for x, s in zip(images, shift.tolist())]
    torch.testing.assert_close(shift_hue(images, shift), torch.stack(expected), atol=1e-5, rtol=0)


@pytest.mark.parametrize('options', [dict(hue=0.6), dict(prob=1.5), dict(brightness=-1)])
def test_options_are_checked(options):
    with pytest.raises(ValueError, match=f'{next(iter(options))}=.* must lie in'):
        RandomColorJitter(**options)


def test_cutmix_pastes_a_rectangle_of_the_next_image():
    views, cutmix = batch(), CutMix()
    result, inside = cutmix(views), cutmix.regions(views)
    assert result.mask is None
    image = views['image']
    for n in range(N):
        rows = inside[n, 0].any(1).nonzero().flatten().tolist()
        columns = inside[n, 0].any(0).nonzero().flatten().tolist()
        expected = image[n].clone()
        if rows:
            top, end, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
            expected[:, top:end, left:right] = image[(n + 1) % N, :, top:end, left:right]
        assert torch.equal(result.images[n], expected)
    shares = inside.float().mean((1, 2, 3))
    assert shares.min() < 0.1 and shares.max() > 0.5 and 0.2 < shares.mean() < 0.5
    assert torch.equal(cutmix.regions(batch(4, 6)), inside[4:10])


def test_cutmix_of_a_given_area():
    views = batch()
    assert not CutMix(area=(0, 0)).regions(views).any()
    assert CutMix(area=(0.25, 0.25)).regions(views).float().mean((1, 2, 3)).max() == 0.25
    with pytest.raises(ValueError, match=r'area=\(0.5, 2\)'):
        CutMix(area=(0.5, 2))
