"""Zoom-in and zoom-out against loops written from their formulas."""

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from zoom_loops import (
    EDGE,
    GRID,
    INNER,
    SIZE,
    TARGET,
    WIDE,
    P,
    batch,
    image_of,
    loop_area,
    loop_normalised,
    loop_zoom_in,
    loop_zoom_out,
    pixels,
    zoomed_in,
)

from mmmim.models.corruptions import ZoomIn, ZoomInGeometry, ZoomOut
from mmmim.models.corruptions.geometry import pad_symmetric, resize_area
from mmmim.models.losses import BorderLoss, MaskedRegressionLoss, WeightedLoss, compare
from mmmim.models.targets import ZoomTarget
from mmmim.models.tokens import patchify
from mmmim.registry import MODELS


@pytest.fixture
def zoom_in():
    """Function (pred, views, mask) -> the loss of the toolkit."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        loss = MODELS.build(dict(type='mmmim.WeightedLoss', losses=EDGE, weights=[0.8, 0.2]))
    target = ZoomTarget(**TARGET)

    def run(pred, views, mask=None):
        geometry = ZoomIn(patch_size=P)(views).geometry
        return compare(loss, pred, target(views, geometry), mask, geometry)

    return run


@pytest.mark.parametrize('masked', [False, True])
def test_zoom_in_loss_equals_the_loops(zoom_in, masked):
    views, pred = zoomed_in(), torch.randn(2, 12, 48)
    mask = None
    if masked:
        mask = torch.zeros(2, *GRID, dtype=torch.bool)
        mask[0, 0, :3] = mask[1, 2, 1:] = True
    expected = loop_zoom_in(pred, views, mask)
    assert zoom_in(pred, views, mask).item() == pytest.approx(expected, rel=1e-5)


def test_zoom_in_on_a_constant_gradient(zoom_in):
    """On a ramp all patches have the same normalised target; a whole view predicted without fault
    leaves no error on the border, and on the centre the one that the loops give."""
    ramp = torch.arange(22.0).expand(2, 3, 18, 22) / 22
    views = {**zoomed_in(), 'wide': ramp, 'image': ramp[:, :, 3:15, 3:19]}
    geometry = ZoomInGeometry(P, SIZE, WIDE)
    target = ZoomTarget(**TARGET)(views, geometry)
    centre, whole = target[..., :48], target[..., 48:]
    torch.testing.assert_close(centre, centre[:1, :1].expand_as(centre), rtol=0, atol=1e-4)
    assert centre.reshape(2, 12, P, P, 3).diff(dim=3).min() > 0.5  # brighter to the right
    torch.testing.assert_close(centre.reshape(2, 12, P, P, 3).diff(dim=2).abs().max().item(), 0.0)
    for pred in (whole, centre, torch.zeros_like(centre)):
        expected = loop_zoom_in(pred, views, None)
        assert zoom_in(pred, views).item() == pytest.approx(expected, rel=1e-4)
    assert compare(BorderLoss(), whole, target, None, geometry) < 1e-9


def test_the_border_reads_what_it_declares():
    geometry = ZoomInGeometry(P, SIZE, WIDE)
    pred = torch.randn(1, 12, 48, requires_grad=True)
    BorderLoss()(pred, torch.randn(1, 12, 96), None, geometry).backward()
    assert torch.equal(pred.grad[0].abs().sum(-1) > 0, BorderLoss.beyond_mask(geometry))
    assert BorderLoss.beyond_mask(geometry).sum() == 10  # 2 of 3 x 4 cells lie inside
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        both = WeightedLoss(EDGE, (0.8, 0.2))
        alone = WeightedLoss(EDGE[:1], (1.0,))
    assert torch.equal(both.beyond_mask(geometry), BorderLoss.beyond_mask(geometry))
    assert alone.beyond_mask(geometry) is None


@pytest.mark.parametrize('size', [(5, 9), (12, 12), (30, 17)])
def test_area_resize_equals_the_loops(size):
    image = torch.rand(1, 2, 12, 10)
    expected = loop_area(image[0].permute(1, 2, 0).double().numpy(), size)
    resized = resize_area(image, size)[0].permute(1, 2, 0).double().numpy()
    np.testing.assert_allclose(resized, expected, atol=1e-6)
    theirs = torch.nn.functional.interpolate(image, size=size, mode='area')
    torch.testing.assert_close(resize_area(image, size), theirs, rtol=0, atol=1e-6)


def test_every_offset_of_the_border_equals_numpy():
    """0 to 63 rows above, as many columns in another order, at the recipe's 160 in 224 px."""
    images = torch.arange(64 * 160 * 160).reshape(64, 1, 160, 160)
    top, left = torch.arange(64), torch.arange(64).flip(0)
    padded = pad_symmetric(images, top, left, (224, 224))
    for n in range(64):
        a, b = int(top[n]), int(left[n])
        expected = np.pad(images[n, 0].numpy(), ((a, 64 - a), (b, 64 - b)), mode='symmetric')
        assert np.array_equal(padded[n, 0].numpy(), expected), (a, b)


def test_a_border_wider_than_the_image_mirrors_again():
    images = torch.arange(12).reshape(1, 1, 3, 4)
    padded = pad_symmetric(images, torch.tensor([7]), torch.tensor([2]), (15, 16))
    expected = np.pad(images[0, 0].numpy(), ((7, 5), (2, 10)), mode='symmetric')
    assert np.array_equal(padded[0, 0].numpy(), expected)


@pytest.mark.parametrize('masked', [False, True])
def test_zoom_out_equals_the_loops(masked):
    views, pred = batch(*INNER, samples=3), torch.randn(3, 12, 48)
    mask = None
    if masked:
        mask = torch.zeros(3, *GRID, dtype=torch.bool)
        mask[0, 0, :2] = mask[1, 2, 1:3] = mask[2, :2, 3] = True
    corrupted = ZoomOut(size=SIZE, patch_size=P, seed=0)(views)
    geometry = corrupted.geometry
    loss = compare(
        MaskedRegressionLoss(), pred, ZoomTarget(**TARGET)(views, geometry), mask, geometry
    )
    total, count = 0.0, 0
    for n in range(3):
        clean = pixels(views['image'][n])
        top, left = int(geometry.top[n]), int(geometry.left[n])
        seen = pixels(corrupted.images[n])
        assert np.allclose(seen[top : top + INNER[0], left : left + INNER[1]], clean)
        target = loop_zoom_out(loop_normalised(loop_area(clean, SIZE)), geometry, n)
        error = (loop_zoom_out(image_of(pred[n]), geometry, n) - target) ** 2
        for row in range(GRID[0]):
            for column in range(GRID[1]):
                if mask is None or mask[n, row, column]:
                    cell = error[row * P : row * P + P, column * P : column * P + P]
                    total, count = total + cell.mean(), count + 1
    assert loss.item() == pytest.approx(total / count, rel=1e-5)


def test_offsets_are_drawn_per_sample_or_per_batch():
    views = batch(*INNER, samples=400)
    geometry = ZoomOut(size=SIZE, patch_size=P, seed=0)(views).geometry
    assert geometry.top.unique().tolist() == list(range(5))  # 0 .. missing - 1, as released
    assert geometry.left.unique().tolist() == list(range(6))
    half = {name: view[200:] for name, view in views.items()}
    again = ZoomOut(size=SIZE, patch_size=P, seed=0)(half).geometry
    assert torch.equal(again.top, geometry.top[200:])
    together = ZoomOut(size=SIZE, patch_size=P, seed=0, per_batch=True)
    assert len(together(views).geometry.top.unique()) == 1
    tops = {
        together({**views, 'epoch': views['epoch'] + e}).geometry.top[0].item() for e in range(9)
    }
    assert len(tops) > 2


def test_without_a_geometry_the_target_is_that_of_pixels():
    views = zoomed_in()
    expected = np.stack([loop_normalised(pixels(image)) for image in views['image']])
    expected = patchify(torch.from_numpy(expected).permute(0, 3, 1, 2).float(), P)
    torch.testing.assert_close(ZoomTarget(**TARGET)(views), expected, rtol=1e-4, atol=1e-4)
