"""Chains of corruptions: order, who gives mask and geometry, which cells the loss covers."""

import pytest
import torch
from helpers.masks import random_mask
from mmengine.registry import DefaultScope

from mmmim.models.corruptions import CorruptionSequence, Decolor, FisheyeDistortion
from mmmim.models.tokens import num_masked
from mmmim.registry import MODELS

P, SIZE, GRID = 4, 16, (4, 4)
MASK = dict(type='mmmim.RandomMasking', patch_size=P, num_masked=12, seed=0)
FISHEYE, DECOLOR = dict(type='mmmim.FisheyeDistortion', seed=0), dict(type='mmmim.Decolor', seed=0)
ZOOM_IN = dict(type='mmmim.ZoomIn', patch_size=P)
ZOOM_OUT = dict(type='mmmim.ZoomOut', size=SIZE, patch_size=P, seed=0)


def views(samples=2, size=SIZE):
    index = torch.arange(samples)
    wide = torch.randn(samples, 3, size + 4, size + 4)
    epoch = torch.zeros_like(index)
    return dict(image=wide[:, :, 2:-2, 2:-2], wide=wide, sample_index=index, epoch=epoch)


def test_each_step_sees_the_images_of_the_one_before():
    batch = views()
    chained = CorruptionSequence([FISHEYE, DECOLOR])(batch)
    bent = FisheyeDistortion(seed=0)(batch).images
    assert torch.equal(chained.images, Decolor(seed=0)({**batch, 'image': bent}).images)
    assert chained.mask is None and chained.geometry is None


def test_a_mask_covers_the_grid_of_what_the_encoder_sees():
    """A mask after zoom-out lies on its larger image, of which the given view is a part."""
    batch = views(size=8)
    sequence = CorruptionSequence([ZOOM_OUT, MASK])
    corrupted = sequence(batch)
    assert corrupted.images.shape[-2:] == (SIZE, SIZE) and corrupted.mask.shape[1:] == GRID
    assert num_masked(corrupted.mask) == 12 and corrupted.geometry.size == (SIZE, SIZE)
    assert sequence.predicts == 'masked' and sequence.masks and sequence.geometric
    assert sequence.patch_size == P and sequence.exact_count
    given = random_mask(2, GRID, 5)
    assert torch.equal(sequence(batch, mask=given).mask, given)


def test_what_a_chain_declares():
    alone = CorruptionSequence([FISHEYE, DECOLOR])
    assert (alone.predicts, alone.masks, alone.geometric) == ('all', False, False)
    assert CorruptionSequence([MASK, FISHEYE], predicts='all').predicts == 'all'
    with pytest.raises(ValueError, match='no step gives a mask'):
        alone(views(), mask=random_mask(2, GRID, 5))
    with pytest.raises(ValueError, match='steps is empty'):
        CorruptionSequence([])
    with pytest.raises(ValueError, match="2 of .*'RandomMasking'.* give a mask"):
        CorruptionSequence([MASK, MASK])
    with pytest.raises(ValueError, match="2 of .*'ZoomIn', 'ZoomOut'.* give a geometry"):
        CorruptionSequence([ZOOM_IN, ZOOM_OUT])
    with pytest.raises(ValueError, match=r"predicts must be one of \('all',\), got 'masked'"):
        CorruptionSequence([FISHEYE], predicts='masked')
    with pytest.raises(ValueError, match=r'the steps have patch sizes \[4, 8\]'):
        CorruptionSequence([ZOOM_IN, dict(MASK, patch_size=8)])


def build(corruption, **neck):
    cfg = dict(
        type='mmmim.MaskedImageModeling',
        corruption=corruption,
        backbone=dict(
            type='mmmim.MaskedViT', img_size=SIZE, patch_size=P, out_type='raw',
            arch=dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=32),
        ),
        neck=dict(
            type='mmmim.TransformerDecoder', in_dims=16, out_dims=48, embed_dims=16, num_layers=1,
            num_heads=2, img_size=SIZE, patch_size=P, **neck,
        ),
        target=dict(type='mmmim.ZoomTarget', patch_size=P, normalize='none', per_channel=True),
        loss=dict(type='mmmim.MaskedRegressionLoss'),
    )  # fmt: skip
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg)
        model.init_weights()
    return model.eval()


def test_integrated_the_encoder_sees_the_visible_patches_alone():
    """Zoom-in and 75 % masking: a quarter of the tokens in the blocks, all cells predicted."""
    corruption = dict(type='mmmim.CorruptionSequence', steps=[ZOOM_IN, MASK])
    model, batch, lengths = build(corruption, predict='all'), views(), []
    for layer in model.backbone.layers:
        layer.register_forward_pre_hook(lambda _, args: lengths.append(args[0].shape[1]))
    assert model.loss(batch)['loss'].isfinite()
    assert lengths == [1 + 4]
    with pytest.raises(ValueError, match="loss covers all cells: set predict='all'"):
        build(corruption)


def test_channels_must_fit_the_backbone():
    with pytest.raises(ValueError, match='gives images of 1 channels, .*in_channels = 3'):
        build(dict(type='mmmim.CorruptionSequence', steps=[DECOLOR, MASK]))


@pytest.mark.parametrize('predicts', ['masked', 'all'])
def test_visible_degraded_cells_count_if_asked_for(predicts):
    steps = [dict(FISHEYE), dict(MASK)]
    corruption = dict(type='mmmim.CorruptionSequence', steps=steps, predicts=predicts)
    model, batch = build(corruption, predict='all'), views()
    corrupted = model.corruption(batch)
    latent = model.backbone(corrupted.images, corrupted.mask)
    error = (model.neck(latent, corrupted.mask) - model.target(batch)).square().mean(-1)
    expected = error.mean() if predicts == 'all' else error[corrupted.mask.flatten(1)].mean()
    torch.testing.assert_close(model.loss(batch)['loss'], expected)
    if predicts == 'all':
        with pytest.raises(ValueError, match="loss covers all cells: set predict='all'"):
            build(corruption)
