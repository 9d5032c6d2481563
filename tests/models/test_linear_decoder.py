"""Linear and parallel decoders."""

import pytest
import torch
from helpers.masks import cells_of, random_mask

from mmmim.models.losses import MaskedRegressionLoss, TokenCrossEntropy
from mmmim.models.necks import LinearDecoder, ParallelDecoders
from mmmim.models.tokens import patchify

GRID = (3, 4)


def ragged_mask():
    """Samples that hide 2, 5 and 0 cells."""
    mask = torch.zeros(3, 12, dtype=torch.bool)
    mask[0, [1, 7]] = mask[1, [0, 3, 4, 8, 11]] = True
    return mask.view(3, *GRID)


@pytest.mark.parametrize('num_prefix', [0, 1])
def test_masked_cells_in_order(num_prefix):
    neck, latent = LinearDecoder(6, 5, num_prefix), torch.randn(2, num_prefix + 12, 6)
    mask = random_mask(2, GRID, 7)
    everything = neck.decoder_pred(latent[:, num_prefix:])
    expected = torch.stack([row[cells] for row, cells in zip(everything, cells_of(mask)[1])])
    torch.testing.assert_close(neck(latent, mask), expected)
    torch.testing.assert_close(neck(latent, mask, predict='all'), everything)
    torch.testing.assert_close(neck(latent), everything)


def test_samples_may_hide_different_numbers_of_cells():
    """As BEiT's masks do; the loss is the mean over all masked cells of the batch."""
    neck, latent, mask = LinearDecoder(6, 5, 0), torch.randn(3, 12, 6), ragged_mask()
    pred = neck(latent, mask)
    everything = neck(latent, predict='all')
    rows = [everything[n, cell] for n, cells in enumerate(cells_of(mask)[1]) for cell in cells]
    torch.testing.assert_close(pred, torch.stack(rows))
    target = torch.randn(3, 12, 5)
    truths = [target[n, cell] for n, cells in enumerate(cells_of(mask)[1]) for cell in cells]
    expected = sum((a - b).square().mean() for a, b in zip(rows, truths)) / len(rows)
    loss = MaskedRegressionLoss(2)
    torch.testing.assert_close(loss(pred, target, mask), expected)
    torch.testing.assert_close(loss(everything, target, mask), expected)
    ids = torch.randint(0, 5, (3, 12))
    truths = [ids[n, cell] for n, cells in enumerate(cells_of(mask)[1]) for cell in cells]
    expected = -sum(a.log_softmax(0)[b] for a, b in zip(rows, truths)) / len(rows)
    torch.testing.assert_close(TokenCrossEntropy()(pred, ids, mask), expected)


def test_it_is_simmims_convolution_with_pixel_shuffle():
    """Its outputs in the order of our patches: (p, p, C) instead of (C, p, p)."""
    p, dims = 4, 6
    convolution = torch.nn.Conv2d(dims, 3 * p * p, 1)
    order = torch.arange(3 * p * p).view(3, p, p).permute(1, 2, 0).flatten()
    neck = LinearDecoder(dims, 3 * p * p, 0)
    neck.decoder_pred.weight.data.copy_(convolution.weight.data[order, :, 0, 0])
    neck.decoder_pred.bias.data.copy_(convolution.bias.data[order])
    latent = torch.randn(2, 12, dims)
    maps = latent.transpose(1, 2).view(2, dims, *GRID)
    image = torch.nn.functional.pixel_shuffle(convolution(maps), p)
    torch.testing.assert_close(neck(latent), patchify(image, p))


def test_initialisations():
    neck = LinearDecoder(64, 64)
    neck.init_weights()
    assert neck.decoder_pred.weight.abs().max() <= 0.02 and not neck.decoder_pred.bias.any()
    neck = LinearDecoder(64, 64, init='torch')
    neck.init_weights()
    assert neck.decoder_pred.weight.abs().max() > 0.1 and neck.decoder_pred.bias.any()


def test_latents_without_masked_cells_and_unknown_options_are_refused():
    with pytest.raises(
        ValueError, match="holds 5 of 12 cells.*set model.backbone.masked='replace'"
    ):
        LinearDecoder(6, 5)(torch.randn(2, 6, 6), random_mask(2, GRID, 7))
    with pytest.raises(ValueError, match="got 'some'"):
        LinearDecoder(predict='some')
    with pytest.raises(ValueError, match="got 'xavier'"):
        LinearDecoder(init='xavier')


def test_parallel_decoders_join_their_predictions():
    cfg = dict(type='mmmim.LinearDecoder', in_dims=6, num_prefix=0)
    neck = ParallelDecoders([dict(cfg, out_dims=5), dict(cfg, out_dims=2)])
    latent, mask = torch.randn(2, 12, 6), random_mask(2, GRID, 7)
    first, second = neck.decoders
    expected = torch.cat([first(latent, mask), second(latent, mask)], dim=-1)
    assert torch.equal(neck(latent, mask), expected) and neck.out_dims == 7
    assert neck(latent, mask, predict='all').shape == (2, 12, 7)
    with pytest.raises(ValueError, match='differ in num_prefix'):
        ParallelDecoders([cfg, dict(cfg, num_prefix=1)])
    with pytest.raises(ValueError, match='decoders is empty'):
        ParallelDecoders([])
