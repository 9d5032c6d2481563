"""The regression loss against a loop over masked cells."""

import pytest
import torch
from helpers.masks import random_mask

from mmmim.models.losses import MaskedRegressionLoss
from mmmim.models.tokens import masked, unpatchify


def loop_loss(pred, target, mask, p):
    """Mean over values of a cell, then over masked cells of all samples, in Python floats."""
    cells = []
    for prediction, truth, hidden in zip(pred.tolist(), target.tolist(), mask.flatten(1).tolist()):
        for a, b, is_masked in zip(prediction, truth, hidden):
            if is_masked:
                cells.append(sum(abs(x - y) ** p for x, y in zip(a, b)) / len(a))
    return sum(cells) / len(cells)


@pytest.fixture
def parts():
    return torch.randn(3, 12, 5), torch.randn(3, 12, 5), random_mask(3, (3, 4), 7)


@pytest.mark.parametrize('p', [1, 2])
def test_loss_equals_the_loop(parts, p):
    pred, target, mask = parts
    loss = MaskedRegressionLoss(p)
    expected = loop_loss(pred, target, mask, p)
    assert loss(pred, target, mask).item() == pytest.approx(expected, rel=1e-6)
    assert loss(masked(pred, mask), target, mask).item() == pytest.approx(expected, rel=1e-6)
    everything = torch.ones(3, 3, 4, dtype=torch.bool)
    expected = loop_loss(pred, target, everything, p)
    assert loss(pred, target, None).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize('p', [1, 2])
def test_gradient_stays_in_masked_cells(parts, p):
    pred, target, mask = parts
    pred.requires_grad_()
    MaskedRegressionLoss(p)(pred, target, mask).backward()
    hidden, difference = mask.flatten(1).unsqueeze(-1), (pred - target).detach()
    values = hidden.sum() * pred.shape[-1]
    slope = difference.sign() if p == 1 else 2 * difference
    torch.testing.assert_close(pred.grad, torch.where(hidden, slope / values, 0.0))


def test_float32_under_autocast(parts):
    pred, target, mask = parts
    exact = MaskedRegressionLoss()(pred.bfloat16(), target, mask)
    with torch.autocast('cpu', torch.bfloat16):
        loss = MaskedRegressionLoss()(pred.bfloat16(), target, mask)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, exact)


def test_the_exponent_is_checked():
    with pytest.raises(ValueError, match='p must be 1 or 2, got 3'):
        MaskedRegressionLoss(p=3)


def test_simmims_denominators():
    """Sum over masked pixels / (their number + 1e-5) / 3, as its code has it."""
    p, pred, target = 2, torch.randn(1, 4, 12), torch.randn(1, 4, 12)
    mask = torch.tensor([[[True, False], [False, False]]])
    images = [unpatchify(x, (2, 2), p) for x in (pred, target)]
    pixels = mask.repeat_interleave(p, 1).repeat_interleave(p, 2).unsqueeze(1)
    for eps in (1e-5, 10.0):
        expected = ((images[0] - images[1]).abs() * pixels).sum() / (pixels.sum() + eps) / 3
        torch.testing.assert_close(MaskedRegressionLoss(1, eps)(pred, target, mask), expected)
