"""Masks made of blocks: the count, the border, the shape of what is hidden."""

import math

import pytest
import torch
from scipy import ndimage

from mmmim.models.corruptions import BlockMasking
from mmmim.models.randomness import counter_uniform, keep_on_host, on_host


def views(samples=200, size=(224, 224)):
    index = torch.arange(samples)
    image = torch.zeros(1, 1, 1, 1).expand(samples, 3, *size)
    return dict(image=image, sample_index=index, epoch=torch.zeros_like(index))


def slow_mask(seed, index, grid, count, min_patches, log_aspect, give_up):
    """The algorithm cell by cell, with the same numbers."""
    numbers = counter_uniform(seed, 0, index, 4 * 2048, stream=10)[0].tolist()
    mask = [[False] * grid[1] for _ in range(grid[0])]
    left, tries, position = count, 0, 0
    while left > 0:
        u, position, tries = numbers[position : position + 4], position + 4, tries + 1
        area = min_patches + (left - min_patches) * u[0]
        aspect = math.exp(log_aspect[0] + (log_aspect[1] - log_aspect[0]) * u[1])
        h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        fresh = []
        if h < grid[0] and w < grid[1]:
            top, column = int(u[2] * (grid[0] - h + 1)), int(u[3] * (grid[1] - w + 1))
            cells = [(r, c) for r in range(top, top + h) for c in range(column, column + w)]
            fresh = [(r, c) for r, c in cells if not mask[r][c]]
        if 0 < len(fresh) <= left:
            for r, c in fresh:
                mask[r][c] = True
            left, tries = left - len(fresh), 0
        elif give_up and tries == 10:
            break
    return mask


@pytest.mark.parametrize('exact', [True, False])
def test_it_is_the_algorithm_cell_by_cell(exact):
    grid = (11, 14)
    masking = BlockMasking(16, num_masked=60, seed=3, exact_count=exact)
    mask = masking(views(30, (11 * 16, 14 * 16))).mask
    for index in range(30):
        slow = slow_mask(3, index, grid, 60, 16, masking.log_aspect, give_up=not exact)
        assert mask[index].tolist() == slow


@pytest.mark.parametrize(('ratio', 'count'), [(0.4, 78), (0.5, 98), (0.6, 118)])
def test_any_count_is_met_exactly(ratio, count):
    mask = BlockMasking(mask_ratio=ratio, seed=0)(views()).mask
    assert mask.flatten(1).sum(1).unique().tolist() == [count]


def test_giving_up_leaves_some_samples_short():
    """BEiT's break; its masks hide 75 or fewer."""
    counts = BlockMasking(num_masked=75, exact_count=False, seed=0)(views()).mask.flatten(1).sum(1)
    assert counts.max() == 75 and 55 < counts.min() < 75
    assert (counts == 75).float().mean() > 0.5


def test_blocks_reach_all_four_borders_alike():
    """Of 75 of 196, BEiT's own generator hides .13 to .20 of the border cells."""
    share = BlockMasking(num_masked=75, seed=0)(views(2000)).mask.float().mean(0)
    for line in (share[0], share[-1], share[:, 0], share[:, -1]):
        assert 0.12 < line.mean() < 0.21
    assert share.min() > 0.02 and share.max() < 0.8


def test_what_is_hidden_hangs_together():
    """Few pieces, unlike cells hidden one by one (about thirty pieces)."""
    masks = BlockMasking(seed=0)(views(100)).mask.numpy()
    assert sum(ndimage.label(mask)[1] for mask in masks) / 100 < 5


def test_a_grid_that_offers_no_block_is_filled_nevertheless():
    mask = BlockMasking(16, num_masked=3, seed=0, aspect=(1, 1))(views(20, (32, 32))).mask
    assert mask.flatten(1).sum(1).tolist() == [3] * 20
    assert len(torch.unique(mask.flatten(1), dim=0)) == 4


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match='num_masked 196.*hides 196 of 196 cells'):
        BlockMasking(num_masked=196)(views(1))
    with pytest.raises(ValueError, match=r'aspect=\(2, 1\) must be'):
        BlockMasking(aspect=(2, 1))
    with pytest.raises(ValueError, match='min_patches=0'):
        BlockMasking(min_patches=0)


def test_a_copy_on_the_host_is_used_until_the_values_change():
    original = torch.arange(3)
    moved = keep_on_host(original.clone(), original)
    assert on_host(moved) is original
    moved += 1
    assert on_host(moved).tolist() == [1, 2, 3]
