"""Losses on spectra against loops of the discrete Fourier transform."""

import cmath
import math

import pytest
import torch
from helpers.masks import random_mask

from mmmim.models.losses import DualDomainLoss, FocalFrequencyLoss
from mmmim.models.spectrum import patch_pixels, patch_spectrum
from mmmim.models.targets import PixelTarget, SpectrumTarget
from mmmim.models.tokens import masked, unpatchify

P, GRID = 2, (2, 3)


def dft(rows):
    """Orthonormal 2-D transform of a list of rows, by its definition."""
    height, width = len(rows), len(rows[0])

    def coefficient(u, v):
        total = sum(
            value * cmath.exp(-2j * math.pi * (u * y / height + v * x / width))
            for y, row in enumerate(rows)
            for x, value in enumerate(row)
        )
        return total / math.sqrt(height * width)

    return [[coefficient(u, v) for v in range(width)] for u in range(height)]


def focal_mean(differences, alpha):
    """Mean over the frequencies of maps of differences: w |d|**2, w scaled by its map's maximum."""
    terms = []
    for rows in differences:
        lengths = [abs(value) for row in rows for value in row]
        weights = [math.log(1 + length**alpha) for length in lengths]
        terms += [w / max(weights) * length**2 for w, length in zip(weights, lengths)]
    return sum(terms) / len(terms)


def minus(a, b):
    return [[x - y for x, y in zip(row, other)] for row, other in zip(a, b)]


@pytest.fixture
def parts():
    pred, target = torch.randn(3, 6, 3 * P * P), torch.randn(3, 6, 3 * P * P)
    return pred, target, random_mask(3, GRID, 4)


@pytest.mark.parametrize(('alpha', 'average'), [(1.0, True), (2.0, False)])
def test_focal_frequency_loss_equals_the_loop(parts, alpha, average):
    pred, target, mask = parts
    mixed = torch.where(mask.flatten(1).unsqueeze(-1), pred, (pred + target) / 2)
    images = unpatchify(mixed.double(), GRID, P).tolist()
    truths = unpatchify(target.double(), GRID, P).tolist()
    maps = [[minus(dft(a), dft(b)) for a, b in zip(*pair)] for pair in zip(images, truths)]
    if average:
        mean = [
            [
                [sum(maps[n][c][u][v] for n in range(3)) / 3 for v in range(len(maps[0][0][0]))]
                for u in range(len(maps[0][0]))
            ]
            for c in range(3)
        ]
        maps = [mean]
    expected = focal_mean([one for sample in maps for one in sample], alpha)
    loss = FocalFrequencyLoss(P, alpha, average)(pred, target, mask)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_visible_predictions_get_no_gradient_and_weights_none(parts):
    pred, target, mask = parts
    pred.requires_grad_()
    loss = FocalFrequencyLoss(P)
    loss(pred, target, mask).backward()
    assert torch.equal(pred.grad.any(-1), mask.flatten(1))
    # With the weights held still the loss is quadratic: its gradient along the error is 2 loss.
    half = torch.where(mask.flatten(1).unsqueeze(-1), pred - target, (pred - target) / 2).detach()
    everything = torch.ones_like(mask)
    moved = (target + half).requires_grad_()
    value = loss(moved, target, everything)
    value.backward()
    assert (moved.grad * half).sum().item() == pytest.approx(2 * value.item(), rel=1e-4)


def test_equal_images_have_no_distance(parts):
    _, target, mask = parts
    pred = target.clone().requires_grad_()
    loss = FocalFrequencyLoss(P)(pred, target, mask)
    loss.backward()
    assert loss == 0 and pred.grad.isfinite().all()


def test_masked_cells_alone_are_refused(parts):
    pred, target, mask = parts
    with pytest.raises(ValueError, match="set model.neck.predict='all'"):
        FocalFrequencyLoss(P)(masked(pred, mask), target, mask)


def test_patch_spectrum_equals_the_loop_and_inverts():
    patches = torch.randn(2, 3 * P * P)
    spectrum = patch_spectrum(patches, P)
    for patch, found in zip(patches.view(2, P, P, 3), spectrum.view(2, P, P, 3, 2)):
        for c in range(3):
            expected = torch.tensor(dft(patch[..., c].tolist()), dtype=torch.complex64)
            torch.testing.assert_close(
                torch.view_as_complex(found[:, :, c].contiguous()), expected, rtol=0, atol=1e-6
            )
    torch.testing.assert_close(patch_pixels(spectrum, P), patches)


def test_dual_domain_loss_equals_the_loop():
    pred, target = torch.randn(2, 6, 9 * P * P), torch.randn(2, 6, 3 * P * P)
    target = torch.cat([target, patch_spectrum(target, P)], dim=-1)
    mask = random_mask(2, GRID, 4)
    dims, pixel, back, own, there = 3 * P * P, [], [], [], []
    for sample, truth, hidden in zip(pred.double(), target.double(), mask.flatten(1)):
        for cell in hidden.nonzero().flatten().tolist():
            colours, true_colours = (x[cell, :dims].view(P, P, 3) for x in (sample, truth))
            waves, true_waves = (
                torch.view_as_complex(x[cell, dims:].reshape(P, P, 3, 2)) for x in (sample, truth)
            )
            pixel += (colours - true_colours).square().flatten().tolist()
            for c in range(3):
                known = true_waves[..., c].tolist()
                own.append(minus(waves[..., c].tolist(), known))
                there.append(minus(dft(colours[..., c].tolist()), known))
                # the inverse transform is the conjugate of that of the conjugate
                image = torch.tensor(dft(waves[..., c].conj().tolist())).conj().real
                back += (image - true_colours[..., c]).square().flatten().tolist()
    terms = (
        sum(pixel) / len(pixel),
        focal_mean(own, 1.0),
        focal_mean(there, 1.0) + sum(back) / len(back),
    )
    for weights in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1.0, 0.5, 0.5)):
        expected = sum(weight * term for weight, term in zip(weights, terms))
        for given in (pred, masked(pred, mask)):
            loss = DualDomainLoss(P, weights)(given, target, mask)
            assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_spectrum_target():
    views = dict(image=torch.randn(2, 3, 8, 12))
    target = SpectrumTarget(patch_size=4)
    found = target(views)
    pixels = PixelTarget(patch_size=4, per_patch=False)(views)
    assert found.shape == (2, 6, target.dims) and target.dims == 3 * 48
    assert torch.equal(found[..., :48], pixels)
    torch.testing.assert_close(patch_pixels(found[..., 48:], 4), pixels)
    torch.testing.assert_close(
        target.to_rgb(found, views), views['image'] * target.std + target.mean
    )


def test_float32_under_autocast(parts):
    pred, target, mask = parts
    both = torch.cat([target, patch_spectrum(target, P)], dim=-1)
    for loss, inputs in (
        (FocalFrequencyLoss(P), (pred, target, mask)),
        (DualDomainLoss(P), (both.roll(1, 0), both, mask)),
    ):
        low = (inputs[0].bfloat16(), *inputs[1:])
        exact = loss(*low)
        with torch.autocast('cpu', torch.bfloat16):
            value = loss(*low)
        assert value.dtype == torch.float32 and torch.equal(value, exact)
