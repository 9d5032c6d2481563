"""Random masking: how many cells, which ones, from what."""

import pytest
import torch

from mmmim.models.corruptions import RandomMasking
from mmmim.models.corruptions.masking import count_masked
from mmmim.models.randomness import counter_bits
from mmmim.models.tokens import num_masked

P = 4


def views(samples=3, grid=(3, 5), start=0, epoch=0):
    index = torch.arange(start, start + samples)
    image = torch.randn(samples, 3, grid[0] * P, grid[1] * P)
    return dict(image=image, sample_index=index, epoch=torch.full_like(index, epoch))


# (cells, ratio, masked): MAE keeps int(L * (1 - r)), computed by hand.
@pytest.mark.parametrize(
    ('cells', 'ratio', 'masked'),
    [(196, 0.75, 147), (196, 0.4, 79), (16, 0.75, 12), (64, 0.6, 39), (15, 0.5, 8), (4, 0.75, 3)],
)
def test_how_many_cells_are_hidden(cells, ratio, masked):
    assert count_masked(cells, ratio) == masked


def test_the_integer_wins():
    assert count_masked(196, 0.75, num_masked=10) == 10
    mask = RandomMasking(P, mask_ratio=0.9, num_masked=4)(views()).mask
    assert mask.flatten(1).sum(1).tolist() == [4, 4, 4]


@pytest.mark.parametrize('ratio', [0.0, 1.0, 0.999, -0.5])
def test_a_ratio_that_hides_nothing_or_everything_is_refused(ratio):
    with pytest.raises(ValueError, match=f'mask_ratio {ratio} hides'):
        RandomMasking(P, mask_ratio=ratio)(views())


@pytest.mark.parametrize('count', [0, 15, 16])
def test_a_count_that_does_not_fit_is_refused(count):
    with pytest.raises(ValueError, match=f'num_masked {count} hides {count} of 15'):
        RandomMasking(P, num_masked=count)(views())


def test_the_cells_with_the_largest_numbers_are_hidden():
    """The definition, sorted in Python."""
    batch = views(samples=4, start=9, epoch=2)
    mask = RandomMasking(P, num_masked=6, seed=3)(batch).mask
    bits = counter_bits(3, batch['epoch'], batch['sample_index'], 15).tolist()
    for row, numbers in zip(mask.flatten(1).tolist(), bits):
        hidden = sorted(range(15), key=numbers.__getitem__)[-6:]
        assert [cell for cell, is_masked in enumerate(row) if is_masked] == sorted(hidden)


def test_every_cell_and_every_pair_is_hidden_alike():
    """Uniform over subsets: single cells at k / L, pairs at k (k - 1) / (L (L - 1))."""
    draws, cells, count = 6000, 15, 6
    mask = RandomMasking(P, num_masked=count, seed=0)(views(draws)).mask.flatten(1).float()
    together = mask.T @ mask / draws
    single, pair = count / cells, count * (count - 1) / (cells * (cells - 1))
    assert (together.diagonal() - single).abs().max() < 5 * (single * (1 - single) / draws) ** 0.5
    others = together[~torch.eye(cells, dtype=torch.bool)]
    assert (others - pair).abs().max() < 5 * (pair * (1 - pair) / draws) ** 0.5


def test_images_pass_unchanged_and_the_count_is_noted():
    batch = views()
    corrupted = RandomMasking(P, num_masked=6)(batch)
    assert corrupted.images is batch['image'] and corrupted.geometry is None
    assert corrupted.mask.shape == (3, 3, 5) and corrupted.mask.dtype == torch.bool
    assert num_masked(corrupted.mask) == 6 == corrupted.mask[0].sum()


@pytest.mark.parametrize(
    ('mask', 'error', 'text'),
    [
        (torch.ones(3, 3, 5), TypeError, 'bool tensor .True = masked., got torch.float32'),
        (torch.ones(3, 5, 3, dtype=torch.bool), ValueError, r'= \(3, 3, 5\), got \(3, 5, 3\)'),
        (torch.eye(3, dtype=torch.bool)[:, :1].repeat(1, 15).reshape(3, 3, 5), ValueError, '0 to'),
    ],
)
def test_masks_from_outside_are_checked(mask, error, text):
    with pytest.raises(error, match=text):
        RandomMasking(P)(views(), mask=mask)


def test_the_patch_must_divide_the_image():
    with pytest.raises(ValueError, match='patch_size 16 does not divide the image size 12x20'):
        RandomMasking(16)(views())


def unit_masking(**options):
    return RandomMasking(P, **{**dict(mask_ratio=0.6, unit=2 * P, rounding='masked'), **options})


# (units a side, ratio, hidden units): SimMIM hides ceil(L * r) of them, computed by hand.
@pytest.mark.parametrize(('side', 'ratio', 'units'), [(7, 0.6, 30), (6, 0.6, 22), (2, 0.5, 2)])
def test_units_of_several_cells_are_hidden_as_a_whole(side, ratio, units):
    mask = unit_masking(mask_ratio=ratio)(views(5, (2 * side, 2 * side))).mask
    assert num_masked(mask) == 4 * units
    blocks = mask.view(5, side, 2, side, 2)
    assert torch.equal(blocks.any(4).any(2), blocks.all(4).all(2))
    assert blocks.all(4).all(2).flatten(1).sum(1).tolist() == [units] * 5


def test_units_are_drawn_as_cells_of_their_size():
    batch = views(5, (6, 6))
    large = dict(batch, image=batch['image'][..., ::2, ::2])
    mask = unit_masking(seed=1)(batch).mask
    coarse = RandomMasking(P, mask_ratio=0.6, rounding='masked', seed=1)(large).mask
    assert torch.equal(mask, coarse.repeat_interleave(2, 1).repeat_interleave(2, 2))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(unit=6), 'unit 6 is no multiple of patch_size 4'),
        (dict(num_masked=6), 'num_masked 6 is no multiple of the 4 cells of a unit of 8 px'),
        (dict(rounding='nearest'), "rounding must be one of .*got 'nearest'"),
    ],
)
def test_units_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        unit_masking(**options)


def test_an_image_of_no_whole_units_is_refused():
    with pytest.raises(ValueError, match='patch_size 8 does not divide the image size 12x20'):
        unit_masking()(views())
