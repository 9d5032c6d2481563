"""Options that change the work: a share of the masked cells, several masks per image."""

import pytest
import torch
from helpers.masks import random_mask
from mmengine.registry import DefaultScope

from mmmim.fast import plain
from mmmim.models import tokens
from mmmim.models.randomness import on_host
from mmmim.registry import MODELS

ARCH = dict(embed_dims=32, num_layers=2, num_heads=4, feedforward_channels=64)
PLACE = dict(img_size=32, patch_size=8)
NECK = dict(
    type='mmmim.CrossDecoder', in_dims=32, out_dims=192, embed_dims=32, num_layers=2, num_heads=4
)


def build(cfg):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(cfg)


def model_with(**neck):
    torch.manual_seed(0)
    return build(
        dict(
            type='mmmim.MaskedImageModeling',
            corruption=dict(type='mmmim.RandomMasking', patch_size=8),
            backbone=dict(type='mmmim.MaskedViT', arch=ARCH, out_type='raw', **PLACE),
            neck={**NECK, **PLACE, **neck},
            target=dict(type='mmmim.PixelTarget', patch_size=8),
            loss=dict(type='mmmim.MaskedRegressionLoss'),
            data_preprocessor=dict(type='mmmim.RepeatedViewsPreprocessor', num_masks=3),
        )
    )


@pytest.fixture
def views():
    torch.manual_seed(1)
    index = torch.arange(3)
    return dict(image=torch.randn(3, 3, 32, 32), sample_index=index, epoch=torch.zeros_like(index))


def test_the_loss_covers_a_share_of_the_masked_cells(views):
    model, mask = model_with(share=0.25).train(), random_mask(3, (4, 4), 12)
    chosen = model.neck.chosen(mask)
    assert chosen.flatten(1).sum(1).tolist() == [3, 3, 3] and not (chosen & ~mask).any()
    latent = model.backbone(views['image'], mask)
    pred, target = model.neck(latent, mask), model.target(views)
    expected = (
        sum(
            (pred[n, k] - target[n, cell]).square().mean()
            for n in range(3)
            for k, cell in enumerate(chosen[n].flatten().nonzero().flatten())
        )
        / 9
    )
    torch.testing.assert_close(model.loss(views, mask=mask)['loss'], expected)
    with plain('targets'):
        torch.testing.assert_close(model.loss(views, mask=mask)['loss'], expected)


def test_a_prediction_does_not_depend_on_what_else_is_predicted(views):
    model, mask = model_with(share=0.25), random_mask(3, (4, 4), 12)
    latent = model.backbone(views['image'], mask)
    few = model.train().neck(latent, mask)
    whole = model.neck(latent, mask, predict='all')
    torch.testing.assert_close(few, tokens.masked(whole, model.neck.chosen(mask)))
    torch.testing.assert_close(model.eval().neck(latent, mask), tokens.masked(whole, mask))


def test_every_parameter_learns(views):
    model = model_with(share=0.5).train()
    model.loss(views)['loss'].backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize('share', [0, 1.5])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match=r'in \(0, 1\]'):
        build(dict(NECK, share=share))


def test_each_image_gets_several_masks():
    model = model_with(share=1.0)
    index = torch.tensor([5, 9])
    batch = dict(
        image=torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8),
        sample_index=index,
        epoch=torch.zeros_like(index),
    )
    inputs = model.data_preprocessor(dict(inputs=batch), True)['inputs']
    assert inputs['image'].shape[0] == 6 and torch.equal(inputs['image'][0], inputs['image'][2])
    masks = model.corruption(inputs).mask
    assert len({tuple(mask.flatten().tolist()) for mask in masks}) == 6
    assert torch.equal(on_host(inputs['sample_index']), inputs['sample_index'])
    assert inputs['sample_index'][[0, 3]].tolist() == [5, 9]  # the first is the usual one
    assert len(model.data_preprocessor(dict(inputs=batch), False)['inputs']['image']) == 2
    with pytest.raises(ValueError, match='num_masks must be at least 1'):
        build(dict(type='mmmim.RepeatedViewsPreprocessor', num_masks=0))
