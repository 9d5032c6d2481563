"""Patches and index lists against loops."""

import pytest
import torch
from helpers.masks import cells_of, random_mask

from mmmim.models import tokens

GRID, P = (3, 4), 2


@pytest.fixture
def images():
    return torch.randn(2, 3, GRID[0] * P, GRID[1] * P)


@pytest.fixture
def mask():
    return random_mask(5, GRID, 7)


def loop_patchify(images, p, channels_last):
    """Write out every value of every patch."""
    n, c, height, width = images.shape
    result = []
    for image in images.tolist():
        patches = []
        for top in range(0, height, p):
            for left in range(0, width, p):
                if channels_last:
                    order = [(k, y, x) for y in range(p) for x in range(p) for k in range(c)]
                else:
                    order = [(k, y, x) for k in range(c) for y in range(p) for x in range(p)]
                patches.append([image[k][top + y][left + x] for k, y, x in order])
        result.append(patches)
    return torch.tensor(result)


@pytest.mark.parametrize('channels_last', [True, False])
def test_patchify_equals_the_loop(images, channels_last):
    patches = tokens.patchify(images, P, channels_last=channels_last)
    assert torch.equal(patches, loop_patchify(images, P, channels_last))


def test_patchify_lays_patches_out_as_a_convolution_reads_them(images):
    conv = torch.nn.Conv2d(3, 5, P, stride=P)
    patches = tokens.patchify(images, P, channels_last=False)
    linear = torch.nn.functional.linear(patches, conv.weight.flatten(1), conv.bias)
    torch.testing.assert_close(linear, conv(images).flatten(2).transpose(1, 2))


def test_unpatchify_inverts(images):
    assert torch.equal(tokens.unpatchify(tokens.patchify(images, P), GRID, P), images)


def test_a_patch_that_does_not_divide_is_refused(images):
    with pytest.raises(ValueError, match='patch_size 5 does not divide the image size 6x8'):
        tokens.patchify(images, 5)


def test_split_is_row_major(mask):
    visible, masked = cells_of(mask)
    split = tokens.split(mask)
    assert split.visible.tolist() == visible
    assert split.masked.tolist() == masked


def test_visible_and_masked_take_the_right_tokens(mask):
    x = torch.randn(5, 12, 3)
    visible, masked = cells_of(mask)
    for n in range(5):
        assert torch.equal(tokens.visible(x, mask)[n], x[n, visible[n]])
        assert torch.equal(tokens.masked(x, mask)[n], x[n, masked[n]])
        shared = tokens.masked(x[:1], mask)  # a table that all samples share
        assert torch.equal(shared[n], x[0, masked[n]])


def test_match_follows_the_cells_of_the_prediction(mask):
    x = torch.randn(5, 12, 3)
    assert tokens.match(x, torch.empty(5, 12, 1), mask) is x
    assert tokens.match(x, torch.empty(5, 7, 1), None) is x
    assert torch.equal(tokens.match(x, torch.empty(5, 7, 1), mask), tokens.masked(x, mask))


def test_scatter_puts_tokens_where_gather_took_them(mask):
    base, new = torch.zeros(5, 12, 3), torch.randn(5, 7, 3)
    result = tokens.scatter_masked(base, new, mask)
    assert torch.equal(tokens.masked(result, mask), new)
    assert not tokens.visible(result, mask).any() and not base.any()


def test_unequal_counts_are_refused(mask):
    mask[0, 0] = True
    mask[1] = False
    with pytest.raises(ValueError, match='these hide 0 to'):
        tokens.num_masked(mask)


def test_notes_on_a_mask_are_void_once_it_changes(mask):
    assert tokens.num_masked(tokens.stamp(mask, 7)) == 7
    before = tokens.split(mask).masked
    assert tokens.split(mask).masked is before  # one argsort per mask
    mask[:] = random_mask(5, GRID, 4, seed=1)
    assert tokens.num_masked(mask) == 4
    assert tokens.split(mask).masked.tolist() == cells_of(mask)[1]


def test_notes_do_not_travel_to_other_masks(mask):
    tokens.split(mask)
    assert tokens.num_masked(~mask) == 5
    assert tokens.split(~mask).visible.tolist() == cells_of(mask)[1]


def test_picked_cells_are_masked_ones_each_once(mask):
    chosen, rest = tokens.pick_masked(mask, 3)
    assert chosen.shape == (5, 3) and rest.shape == (5, 4)
    together = torch.cat([chosen, rest], dim=1).sort(dim=1).values
    assert together.tolist() == cells_of(mask)[1]


def test_the_pick_is_a_function_of_the_mask_alone(mask):
    first = tokens.pick_masked(mask, 3)
    torch.rand(3)
    again = tokens.pick_masked(mask.flip(0).clone(), 3)
    assert torch.equal(again.visible.flip(0), first.visible)
    assert torch.equal(again.masked.flip(0), first.masked)


def test_the_pick_favours_no_cell():
    """1500 masks with half of 16 cells hidden, 2 of 8 picked: each cell an eighth of the time."""
    mask = random_mask(1500, (4, 4), 8)
    share = tokens.pick_masked(mask, 2).visible.flatten().bincount(minlength=16) / 1500
    assert (share - 2 / 16).abs().max() < 5 * (0.125 * 0.875 / 1500) ** 0.5


@pytest.mark.parametrize('count', [0, 7])
def test_nothing_or_everything_can_be_picked(mask, count):
    chosen, rest = tokens.pick_masked(mask, count)
    assert chosen.shape == (5, count) and rest.shape == (5, 7 - count)


@pytest.mark.parametrize('count', [-1, 8])
def test_more_than_there_is_cannot_be_picked(mask, count):
    with pytest.raises(ValueError, match=f'cannot insert {count} mask tokens where only 7'):
        tokens.pick_masked(mask, count)
