"""Masks that paint over what they hide, and the backbone that adds its token there."""

import pytest
import torch

from mmmim.models.backbones import MaskedBEiT
from mmmim.models.corruptions import MeanColorFilling
from mmmim.models.tokens import unpatchify

P = 4
CFG = dict(type='mmmim.RandomMasking', patch_size=P, num_masked=4)


def views():
    index = torch.arange(2)
    return dict(image=torch.randn(2, 3, 8, 12), sample_index=index, epoch=torch.zeros_like(index))


def test_masked_cells_hold_the_images_own_mean():
    filling, batch = MeanColorFilling(CFG), views()
    images, mask, geometry = filling(batch)
    assert geometry is None and mask.flatten(1).sum(1).tolist() == [4, 4]
    for n in range(2):
        for row in range(2):
            for column in range(3):
                place = (n, slice(None), slice(row * P, row * P + P), slice(column * P, None))
                cell = images[place][..., :P]
                if mask[n, row, column]:
                    colours = [batch['image'][n, c].double().mean().item() for c in range(3)]
                    for c in range(3):
                        torch.testing.assert_close(cell[c], torch.full((P, P), colours[c]))
                else:
                    assert torch.equal(cell, batch['image'][place][..., :P])


def test_only_the_mean_of_hidden_pixels_remains():
    """Hidden pixels may change places."""
    filling, batch = MeanColorFilling(CFG), views()
    images, mask, _ = filling(batch)
    hidden = unpatchify(mask.flatten(1).unsqueeze(-1).expand(-1, -1, P * P), mask.shape[1:], P)
    hidden = hidden.bool().expand_as(batch['image'])
    moved = batch['image'].clone()
    for n in range(2):
        for c in range(3):
            moved[n, c][hidden[n, c]] = moved[n, c][hidden[n, c]].flip(0)
    assert not torch.equal(moved, batch['image'])
    torch.testing.assert_close(filling(dict(batch, image=moved), mask).images, images)


def test_the_token_is_added_to_what_is_painted():
    size = dict(arch=dict(embed_dims=8, num_layers=1, num_heads=2, feedforward_channels=8))
    vit = MaskedBEiT(**size, img_size=(8, 12), patch_size=P, masked='add', out_type='raw')
    torch.nn.init.normal_(vit.mask_token)
    images, mask, _ = MeanColorFilling(CFG)(views())
    plain, added = vit._embed(images, (2, 3)), vit._embed(images, (2, 3), mask)
    expected = torch.where(mask.flatten(1).unsqueeze(-1), vit.mask_token, torch.zeros(1))
    torch.testing.assert_close((added - plain)[:, 1:], expected)
    assert torch.equal(added[:, 0], plain[:, 0])


def test_it_needs_a_mask():
    with pytest.raises(ValueError, match='masking is RandomBlur, but must be'):
        MeanColorFilling(dict(type='mmmim.RandomBlur'))
