"""Zooms in a model: pictures, and what does not fit."""

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from zoom_loops import EDGE, GRID, INNER, SIZE, TARGET, P, batch, pixels, zoomed_in

from mmmim.models.corruptions import ZoomIn, ZoomOut
from mmmim.models.corruptions.geometry import pad_symmetric, resize_area
from mmmim.models.losses import BorderLoss, WeightedLoss
from mmmim.registry import MODELS


def build(corruption, loss, **parts):
    cfg = dict(
        type='mmmim.MaskedImageModeling',
        corruption=corruption,
        data_preprocessor=dict(type='mmmim.ViewsPreprocessor'),
        backbone=dict(
            type='mmmim.MaskedViT', img_size=SIZE, patch_size=P, out_type='raw',
            arch=dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=32),
        ),
        neck=dict(
            type='mmmim.TransformerDecoder', in_dims=16, out_dims=48, embed_dims=16, num_layers=1,
            num_heads=2, img_size=SIZE, patch_size=P, predict='all', mask_tokens=False,
        ),
        target=dict(type='mmmim.ZoomTarget', **TARGET),
        loss=loss,
    )  # fmt: skip
    for name, options in parts.items():
        cfg[name].update(options)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg)
        model.init_weights()
    return model.eval()


def perfect(model, views, geometry):
    """The model, predicting the target of the whole view."""
    pred = model.target(geometry.whole(views))
    model.neck.forward = lambda latent, mask, predict=None: pred
    return model


def colours(image):
    return torch.from_numpy(np.stack([pixels(one) for one in image])).permute(0, 3, 1, 2).float()


def test_pictures_of_zoom_in():
    views = zoomed_in()
    loss = dict(type='mmmim.WeightedLoss', losses=EDGE, weights=[0.8, 0.2])
    model = build(dict(type='mmmim.ZoomIn', patch_size=P), loss)
    geometry = model.corruption(views).geometry
    result = perfect(model, views, geometry).reconstruct(views)
    clean = colours(views['image']).clamp(0, 1)
    for images in (result.input, result.corrupted, result.target):
        torch.testing.assert_close(images, clean, rtol=0, atol=1e-5)
    whole = colours(resize_area(views['wide'], SIZE)).clamp(0, 1)
    torch.testing.assert_close(result.whole_target, whole, rtol=0, atol=1e-5)
    torch.testing.assert_close(result.whole_pred, whole, rtol=0, atol=1e-5)
    assert result.pred.shape == clean.shape and result.flattered


def test_pictures_of_zoom_out():
    views = batch(*INNER)
    model = build(
        dict(type='mmmim.ZoomOut', size=SIZE, patch_size=P), dict(type='mmmim.MaskedRegressionLoss')
    )
    corrupted = model.corruption(views)
    geometry = corrupted.geometry
    result = perfect(model, views, geometry).reconstruct(views)
    framed = colours(corrupted.images).clamp(0, 1)
    for images in (result.input, result.corrupted):
        torch.testing.assert_close(images, framed, rtol=0, atol=1e-5)
    whole = resize_area(views['image'], SIZE)
    torch.testing.assert_close(result.whole_pred, colours(whole).clamp(0, 1), rtol=0, atol=1e-5)
    placed = colours(pad_symmetric(resize_area(whole, INNER), geometry.top, geometry.left, SIZE))
    torch.testing.assert_close(result.pred, placed.clamp(0, 1), rtol=0, atol=1e-5)
    torch.testing.assert_close(result.target, placed.clamp(0, 1), rtol=0, atol=1e-5)


def test_what_does_not_fit_is_an_error():
    views, zoom_in = zoomed_in(), dict(type='mmmim.ZoomIn', patch_size=P)
    with pytest.raises(ValueError, match="needs the view 'wide'.*MultiView"):
        ZoomIn(P)({name: view for name, view in views.items() if name != 'wide'})
    with pytest.raises(TypeError, match="'wide' is torch.uint8: add it to normalize"):
        ZoomIn(P)({**views, 'wide': views['wide'].to(torch.uint8)})
    with pytest.raises(ValueError, match='18x22 does not surround an image of 11x16 evenly'):
        ZoomIn(P)({**views, 'image': views['image'][:, :, 1:]})
    with pytest.raises(ValueError, match='into 12x16 pixels, got 12x16'):
        ZoomOut(SIZE, P)(views)
    with pytest.raises(ValueError, match='hides nothing and takes no mask.*CorruptionSequence'):
        ZoomIn(P)(views, mask=torch.zeros(2, *GRID, dtype=torch.bool))
    with pytest.raises(ValueError, match="use target type 'mmmim.ZoomTarget'"):
        build(zoom_in, dict(type='mmmim.BorderLoss'), target=dict(type='mmmim.PixelTarget'))
    with pytest.raises(ValueError, match="loss covers all cells: set predict='all'"):
        build(zoom_in, dict(type='mmmim.BorderLoss'), neck=dict(predict='masked'))
    geometry = ZoomIn(P)(views).geometry
    with pytest.raises(ValueError, match='all 12 cells, got 9'):
        geometry.place_tokens(torch.zeros(2, 9, 48))
    with pytest.raises(ValueError, match='BorderLoss needs what lies around'):
        BorderLoss()(torch.zeros(2, 12, 48), torch.zeros(2, 12, 48), None, geometry)
    with pytest.raises(ValueError, match='1 losses and 2 weights'):
        WeightedLoss(EDGE[:1], (0.8, 0.2))
