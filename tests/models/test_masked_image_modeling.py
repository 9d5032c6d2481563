"""The common algorithm: the formula, what it checks, what it draws."""

import copy

import pytest
import torch
from helpers.masks import random_mask
from mmengine.registry import DefaultScope

from mmmim.models.tokens import patchify
from mmmim.registry import MODELS

ARCH = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)
P, SIZE, GRID = 4, (12, 16), (3, 4)
CFG = dict(
    type='mmmim.MaskedImageModeling',
    corruption=dict(type='mmmim.RandomMasking', patch_size=P),
    backbone=dict(
        type='mmmim.MaskedViT', arch=ARCH, img_size=SIZE, patch_size=P, out_type='avg_featmap'
    ),
    neck=dict(
        type='mmmim.TransformerDecoder', in_dims=16, out_dims=48, embed_dims=16, num_layers=1,
        num_heads=2, img_size=SIZE, patch_size=P,
    ),
    target=dict(type='mmmim.PixelTarget', patch_size=P, per_patch=False),
    loss=dict(type='mmmim.MaskedRegressionLoss'),
)  # fmt: skip


def build(**parts):
    cfg = copy.deepcopy(CFG)
    for name, options in parts.items():
        cfg[name].update(options)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg)
        model.init_weights()
    return model.eval()


@pytest.fixture
def batch():
    index = torch.arange(3)
    image = torch.randint(0, 256, (3, 3, *SIZE), dtype=torch.uint8)
    return dict(inputs=dict(image=image, sample_index=index, epoch=torch.zeros_like(index)))


@pytest.fixture
def views(batch):
    return build().data_preprocessor(copy.deepcopy(batch))['inputs']


def test_the_loss_is_the_formula(views):
    """Prediction of the masked patches against their normalised pixels."""
    model, mask = build(), random_mask(3, GRID, 9)
    pred = model.neck(model.backbone(views['image'], mask), mask, predict='all')
    error = (pred - patchify(views['image'], P)).square().mean(-1)
    expected = error[mask.flatten(1)].mean()
    torch.testing.assert_close(model.loss(views, mask=mask)['loss'], expected)


def test_without_a_given_mask_it_draws_that_of_the_seed(views):
    model = build()
    torch.manual_seed(3)
    mask = model.corruption(views).mask
    loss = model.loss(views)['loss']
    assert mask.flatten(1).sum(1).tolist() == [9, 9, 9]
    assert torch.equal(model.loss(views, mask=mask)['loss'], loss)
    torch.manual_seed(4)
    assert not torch.equal(model.loss(views)['loss'], loss)


def test_predicting_all_cells_and_masked_ones_gives_the_same_loss(views):
    fast, slow = build(), build(neck=dict(predict='all'))
    slow.load_state_dict(fast.state_dict())
    torch.testing.assert_close(slow.loss(views)['loss'], fast.loss(views)['loss'])


def test_a_backbone_that_replaces_works_with_the_same_neck(views):
    model = build(backbone=dict(masked='replace', out_type='raw'), neck=dict(mask_tokens=False))
    model.loss(views)['loss'].backward()
    assert model.backbone.mask_token.grad.abs().sum() > 0
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_mask_tokens_of_the_decoder_are_where_they_are_needed():
    with pytest.raises(ValueError, match='keeps every cell.*Set mask_tokens=False'):
        build(backbone=dict(masked='replace'))
    with pytest.raises(ValueError, match='leaves masked cells out.*Set mask_tokens=True'):
        build(neck=dict(mask_tokens=False))


def test_features_are_those_of_the_plain_backbone(views):
    model = build()
    features = model(views, mode='tensor')
    assert torch.equal(features[0], model.backbone(views['image'])[0])
    assert torch.equal(model.extract_feat(views['image'])[0], features[0])


def test_low_precision_stays_near(views):
    model = build()
    exact = model.loss(views)['loss']
    with torch.autocast('cpu', torch.bfloat16):
        loss = model.loss(views)['loss']
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=1e-2)


def test_a_training_step_runs_from_raw_images(batch):
    model = build().train()
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        from mmengine.optim import build_optim_wrapper

        wrapper = build_optim_wrapper(model, dict(optimizer=dict(type='SGD', lr=0.1)))
    log = model.train_step(batch, wrapper)
    assert set(log) == {'loss'} and log['loss'].isfinite()


def test_reconstruction(batch, views):
    model, mask = build(), random_mask(3, GRID, 9)
    result = model.reconstruct(views, mask=mask)
    raw = batch['inputs']['image'].float() / 255
    hidden = mask.repeat_interleave(P, 1).repeat_interleave(P, 2).unsqueeze(1).expand_as(raw)
    torch.testing.assert_close(result.input, raw, rtol=0, atol=1e-5)
    torch.testing.assert_close(result.target, raw, rtol=0, atol=1e-5)
    assert (result.corrupted[hidden] == 0.5).all()
    torch.testing.assert_close(result.corrupted[~hidden], raw[~hidden], rtol=0, atol=1e-5)
    pred = model.neck(model.backbone(views['image'], mask), mask, predict='all')
    expected = model.target.to_rgb(pred, views).clamp(0, 1)
    torch.testing.assert_close(result.pred, expected)
    torch.testing.assert_close(result.pasted, torch.where(hidden, expected, raw), atol=1e-5, rtol=0)
    assert torch.equal(result.mask, mask) and result.flattered is False
    assert build(target=dict(per_patch=True)).reconstruct(views).flattered is True


@pytest.mark.parametrize(
    ('parts', 'text'),
    [
        (dict(neck=dict(out_dims=768)), 'neck.out_dims = 768 does not fit model.target.dims = 48'),
        (dict(neck=dict(num_prefix=0)), 'neck.num_prefix = 0 does not fit'),
        (dict(neck=dict(img_size=16)), r'neck.grid = \(4, 4\) does not fit .* \(3, 4\)'),
        (dict(corruption=dict(patch_size=2)), 'corruption.patch_size = 2 does not fit'),
        (
            dict(target=dict(patch_size=2), neck=dict(out_dims=12)),
            'target.patch_size = 2 does not fit model.backbone.patch_size = 4',
        ),
        (dict(target=dict(mean=[0.0, 0.0, 0.0])), 'target.pixel_mean = .* does not fit'),
        (dict(target=dict(std=[1.0, 1.0, 1.0])), 'target.pixel_std = .* does not fit'),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, text):
    with pytest.raises(ValueError, match=text):
        build(**parts)
