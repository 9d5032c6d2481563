"""Visual tokens as targets: the loss and who sees which view."""

import pytest
import torch
from helpers.masks import cells_of, random_mask
from torch import nn

from mmmim.models.losses import TokenCrossEntropy
from mmmim.models.targets import TokenTarget
from mmmim.models.tokenizers import DiscreteVAE
from mmmim.registry import MODELS

GRID = (3, 4)


@pytest.fixture
def vae_file(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / 'vae.pth'
    vae = DiscreteVAE(**SMALL)
    with torch.no_grad():
        for conv in (part for part in vae.encoder.modules() if isinstance(part, nn.Conv2d)):
            conv.weight.mul_(3)  # so that the image, and not the biases, decides
            conv.bias.zero_()
    torch.save(vae.state_dict(), path)
    return str(path)


SMALL = dict(patch_size=4, num_tokens=11, codebook_dims=6, hidden_dims=5, num_blocks=1)


def target(vae_file, **options):
    cfg = dict(type='mmmim.DiscreteVAE', **SMALL, checkpoint=vae_file)
    return TokenTarget(cfg, patch_size=8, **options)


def views():
    torch.manual_seed(1)
    small = torch.randint(0, 256, (2, 3, 12, 16), dtype=torch.uint8)
    return dict(image=torch.randn(2, 3, 24, 32), tokenizer=small)


def test_cross_entropy_is_the_formula():
    """-log softmax at the true token, averaged over the masked cells, in a loop."""
    logits, ids = torch.randn(2, 12, 7), torch.randint(0, 7, (2, 12))
    mask = random_mask(2, GRID, 5)
    _, masked = cells_of(mask)
    terms = [
        -logits[n, cell].softmax(0)[ids[n, cell]].log() for n in range(2) for cell in masked[n]
    ]
    expected = torch.stack(terms).mean()
    loss = TokenCrossEntropy()
    torch.testing.assert_close(loss(logits, ids, mask), expected)
    compact = torch.stack([logits[n, masked[n]] for n in range(2)])
    torch.testing.assert_close(loss(compact, ids, mask), expected)
    torch.testing.assert_close(loss(logits[mask.flatten(1)], ids, mask), expected)
    everywhere = nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten())
    torch.testing.assert_close(loss(logits, ids), everywhere)


def test_unequal_counts_are_averaged_over_all_cells():
    logits, ids = torch.randn(2, 12, 7), torch.randint(0, 7, (2, 12))
    mask = torch.zeros(2, *GRID, dtype=torch.bool)
    mask[0, 0], mask[1, :2] = True, True
    terms = nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten(), reduction='none')
    expected = terms[mask.flatten()].mean()
    torch.testing.assert_close(TokenCrossEntropy()(logits[mask.flatten(1)], ids, mask), expected)


def test_it_is_float32_under_autocast():
    logits, ids = torch.randn(2, 12, 7).bfloat16(), torch.randint(0, 7, (2, 12))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = TokenCrossEntropy()(logits, ids, random_mask(2, GRID, 5))
    assert loss.dtype == torch.float32


def test_the_target_is_what_the_tokenizer_says_of_its_own_view(vae_file):
    batch, part = views(), target(vae_file)
    ids = part(batch)
    assert ids.shape == (2, 12) and ids.dtype == torch.int64 and part.dims == 11
    expected = DiscreteVAE(**SMALL, checkpoint=vae_file).tokenize(batch['tokenizer'])
    assert torch.equal(ids, expected.flatten(1)) and len(ids.unique()) > 1
    batch['image'] = torch.zeros_like(batch['image'])
    assert torch.equal(part(batch), ids)


def test_the_tokenizer_is_frozen_and_stays_out_of_checkpoints(vae_file):
    part = target(vae_file).train()
    assert not any(parameter.requires_grad for parameter in part.parameters())
    assert not any(module.training for module in part.tokenizer.modules())
    whole = nn.Sequential(nn.Linear(2, 2), part)
    assert set(whole.state_dict()) == {'0.weight', '0.bias'}
    before = part.tokenizer.codebook.weight.clone()
    whole.load_state_dict(whole.state_dict(), strict=True)
    assert torch.equal(part.tokenizer.codebook.weight, before)


def test_views_that_do_not_fit_are_refused(vae_file):
    batch = views()
    with pytest.raises(ValueError, match="no view 'other' in the batch"):
        target(vae_file, view='other')(batch)
    batch['tokenizer'] = batch['tokenizer'][..., :12, :12]
    with pytest.raises(ValueError, match='3x3 tokens of a 12x12 view, but the image has 3x4'):
        target(vae_file)(batch)
    with pytest.raises(ValueError, match='geometry needs a pixel target'):
        target(vae_file)(views(), geometry=object())


def test_a_tokenizer_without_weights_is_no_target():
    with pytest.raises(ValueError, match='DiscreteVAE has random weights.*checkpoint=FILE'):
        TokenTarget(dict(type='mmmim.DiscreteVAE', **SMALL))


def test_tokens_are_drawn_by_the_tokenizers_own_decoder(vae_file):
    part, batch = target(vae_file), views()
    ids = part(batch)
    drawn = part.to_rgb(nn.functional.one_hot(ids, 11).float(), batch)
    assert drawn.shape == (2, 3, 24, 32)
    assert torch.equal(drawn, part.to_rgb(ids, batch))
    expected = part.tokenizer.decode(ids.reshape(2, 3, 4))
    assert torch.equal(part.to_rgb(ids, grid=GRID), expected)


def test_tokens_without_a_decoder_cannot_be_drawn(tmp_path):
    cfg = dict(type='mmmim.DALLEEncoder', num_tokens=7, hidden_dims=4, blocks_per_group=1)
    torch.save(MODELS.build(cfg).state_dict(), tmp_path / 'dalle.pth')
    part = TokenTarget({**cfg, 'checkpoint': str(tmp_path / 'dalle.pth')})
    assert not part.reconstructs
    with pytest.raises(ValueError, match='has no decoder, so its tokens cannot be drawn'):
        part.to_rgb(torch.zeros(1, 4, 7), grid=(2, 2))
