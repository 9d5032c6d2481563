import numpy as np
import pytest
import torch

from mmmim.models.corruptions import VaryingMasking
from mmmim.registry import MODELS


def views(samples=400, side=14, epoch=0):
    index = torch.arange(samples)
    image = torch.zeros(1, 1, 1, 1).expand(samples, 3, 16 * side, 16 * side)
    return dict(image=image, sample_index=index, epoch=torch.full_like(index, epoch))


@pytest.mark.parametrize('blocks', [True, False])
def test_half_of_the_samples_hide_nothing_and_others_a_tenth_to_a_half(blocks):
    part = VaryingMasking(blocks=blocks, seed=0)
    batch = views()
    mask = part(batch).mask
    wanted, found = part.counts(batch, 196), mask.flatten(1).sum(1)
    assert abs((wanted == 0).float().mean() - 0.5) < 4 * (0.25 / 400) ** 0.5
    some = wanted[wanted > 0]
    assert some.min() >= 19 and some.max() <= 98 == part.most_masked(196)
    assert abs(some.float().mean() / 196 - 0.3) < 4 * 0.4 / (12 * 200) ** 0.5
    if blocks:  # ten blocks in a row that do not fit end it early
        assert (found <= wanted).all() and (found == wanted).float().mean() > 0.5
        assert ((found == 0) == (wanted == 0)).all()
    else:
        assert torch.equal(found, wanted)
    share = mask.float().mean(0)
    assert share.min() > 0


def test_blocks_are_those_of_the_fixed_count():
    """One ratio without width: as BlockMasking with that count and BEiT's end."""
    varying = VaryingMasking(ratios=[(0.4, 0.0)], seed=3)
    fixed = MODELS.build(
        dict(type='mmmim.BlockMasking', num_masked=78, exact_count=False, seed=3, min_patches=16)
    )
    assert torch.equal(varying(views(40)).mask, fixed(views(40)).mask)


def test_single_cells_are_hidden_equally_often():
    part = VaryingMasking(ratios=[(0.5, 0.0)], blocks=False, seed=0)
    share = part(views(2000, side=4)).mask.float().mean(0).numpy()
    assert np.abs(share - 0.5).max() < 5 * (0.25 / 2000) ** 0.5


@pytest.mark.parametrize(
    'ratios', [[], [(0.0, 0.0)], [(0.3, 0.4)], [(0.8, 0.2)]], ids=['none', 'zero', 'below', 'all']
)
def test_wrong_ratios(ratios):
    with pytest.raises(ValueError, match='within .0, 1.'):
        VaryingMasking(ratios=ratios)
