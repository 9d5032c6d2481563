"""The discrete VAE: what it computes, that it learns, and how it is read from a file."""

import hashlib
import math

import pytest
import torch
from mmengine.registry import DefaultScope
from torch.nn import functional as F

from mmmim.models.algorithms.tokenizer_training import divergence_from_uniform, perplexity
from mmmim.models.tokenizers import DALLEEncoder, DiscreteVAE, weights
from mmmim.registry import MODELS

SMALL = dict(patch_size=4, num_tokens=16, codebook_dims=8, hidden_dims=16, num_blocks=1)
DALLE = dict(num_tokens=7, hidden_dims=4, blocks_per_group=1)


def pictures(count=64, seed=0, side=4):
    """(N, 3, 4 * side, 4 * side) uint8: cells of one of eight colours, with some noise."""
    generator = torch.Generator().manual_seed(seed)
    colours = torch.tensor([[r, g, b] for r in (40, 210) for g in (40, 210) for b in (40, 210)])
    cells = colours[torch.randint(0, 8, (count, 4, 4), generator=generator)].permute(0, 3, 1, 2)
    images = cells.repeat_interleave(side, 2).repeat_interleave(side, 3)
    return (images + torch.randint(-15, 16, images.shape, generator=generator)).byte()


def training(**options):
    cfg = dict(type='mmmim.TokenizerTraining', backbone=dict(type='mmmim.DiscreteVAE', **SMALL))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build({**cfg, **options})


def test_it_learns_to_draw_with_most_of_its_tokens():
    """Better than the mean colour of every image, on images it has not seen."""
    torch.manual_seed(0)
    tokenizer = dict(type='mmmim.DiscreteVAE', **{**SMALL, 'patch_size': 2})
    model, images = training(backbone=tokenizer, kl_weight=0.05), pictures(256, side=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    steps = 200
    for step in range(steps):
        model.temperature = 0.9 * (0.5 / 0.9) ** (step / steps)
        index = torch.randint(0, 256, (32,))
        loss, _ = model.parse_losses(model.loss(dict(image=images[index])))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    unseen = pictures(seed=1, side=2)
    truth, ids = unseen.float() / 255, model.backbone.tokenize(unseen)
    error = (model.backbone.decode(ids) - truth).square().mean()
    mean_colour = (truth - truth.mean((2, 3), keepdim=True)).square().mean()
    assert error < mean_colour / 10
    assert len(ids.unique()) >= 12  # of 16, for eight colours


def test_the_loss_is_its_formula():
    """Gumbel noise, softmax, mixed codes, decoder; the KL term is the mean over cells."""
    model, images = training(kl_weight=0.1, temperature=0.7), pictures(3)
    x = (images.float() - 127.5) / 127.5
    logits = model.backbone.encoder(x)
    torch.manual_seed(5)
    noise = -torch.empty_like(logits).exponential_().log()
    torch.manual_seed(5)
    losses = model.loss(dict(image=images))
    share = ((logits + noise) / 0.7).softmax(1)
    codes = (share.unsqueeze(2) * model.backbone.codebook.weight[None, :, :, None, None]).sum(1)
    expected = (model.backbone.decoder(codes) - x).square().mean()
    torch.testing.assert_close(losses['loss_reconstruction'], expected)
    q = logits.softmax(1)
    rows = q.permute(0, 2, 3, 1).reshape(-1, 16)
    kl = sum((row * (row * 16).log()).sum() for row in rows) / len(rows)
    torch.testing.assert_close(losses['loss_kl'], 0.1 * kl)


def test_divergence_and_perplexity_at_their_ends():
    even, sure = torch.zeros(2, 16, 4, 4), torch.zeros(2, 16, 4, 4)
    sure[:, 3] = 1e4
    assert divergence_from_uniform(even).item() == pytest.approx(0, abs=1e-4)
    assert divergence_from_uniform(sure).item() == pytest.approx(math.log(16))
    assert perplexity(sure).item() == pytest.approx(1)
    every = F.one_hot(torch.arange(16).reshape(1, 4, 4), 16).permute(0, 3, 1, 2).float()
    assert perplexity(every).item() == pytest.approx(16)


def test_distance_and_hard_tokens_are_options():
    torch.manual_seed(0)
    model, images = training(distance='smooth_l1', hard=True), pictures(2)
    model.loss(dict(image=images))['loss_reconstruction'].backward()
    assert model.backbone.encoder[0][0].weight.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="distance must be one of .* got 'l7'"):
        training(distance='l7')


def test_tokens_are_the_most_likely_ones_and_drawn_by_the_decoder():
    vae, images = DiscreteVAE(**SMALL), pictures(2)
    ids = vae.tokenize(images)
    assert ids.shape == (2, 4, 4)
    assert torch.equal(ids, vae.encoder(vae.normalize(images)).argmax(1))
    codes = vae.codebook.weight[ids].permute(0, 3, 1, 2)
    torch.testing.assert_close(vae.decode(ids), (vae.decoder(codes) * 127.5 + 127.5) / 255)


def test_parameters_are_named_as_in_dalle_pytorch():
    """The layout that CAE's own d-VAE files have."""
    names = set(DiscreteVAE(patch_size=8, num_tokens=9, hidden_dims=4).state_dict())
    encoder = {f'encoder.{i}.0' for i in range(3)} | {
        f'encoder.{i}.net.{j}' for i in (3, 4) for j in (0, 2, 4)
    }
    decoder = {f'decoder.{i}.net.{j}' for i in (1, 2) for j in (0, 2, 4)} | {
        f'decoder.{i}.0' for i in (3, 4, 5)
    }
    layers = encoder | decoder | {'encoder.5', 'decoder.0', 'decoder.6'}
    assert names == {'codebook.weight'} | {f'{n}.{p}' for n in layers for p in ('weight', 'bias')}


@pytest.mark.parametrize(('kind', 'cfg'), [(DiscreteVAE, SMALL), (DALLEEncoder, DALLE)])
def test_a_file_is_read_whatever_holds_the_state_dict(kind, cfg, tmp_path):
    state = kind(**cfg).state_dict()
    wrapped = {f'backbone.{name}': value for name, value in state.items()}
    for content in (state, dict(model=state), dict(state_dict=wrapped)):
        torch.save(content, tmp_path / 'file.pth')
        loaded = kind(**cfg, checkpoint=str(tmp_path / 'file.pth')).state_dict()
        assert all(value.equal(loaded[name]) for name, value in state.items())


def test_the_digest_is_printed_and_compared(tmp_path, monkeypatch):
    path = tmp_path / 'file.pth'
    torch.save(DiscreteVAE(**SMALL).state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    printed = []
    monkeypatch.setattr(weights, 'print_log', lambda text, *_: printed.append(text))
    DiscreteVAE(**SMALL, checkpoint=str(path), sha256=digest[:12].upper())
    assert digest in printed[0] and str(path) in printed[0]
    with pytest.raises(ValueError, match=f'has sha256 {digest}, but the config says 1234'):
        DiscreteVAE(**SMALL, checkpoint=str(path), sha256='1234')


def test_wrong_files_are_refused_by_name_difference_and_remedy(tmp_path):
    path = tmp_path / 'file.pth'
    with pytest.raises(
        ValueError, match='file.pth.* of DALLEEncoder does not exist: give checkpoint=FILE'
    ):
        DALLEEncoder(**DALLE, checkpoint=str(path))
    torch.save(DiscreteVAE(**SMALL).state_dict(), path)
    with pytest.raises(ValueError, match=r'no DALLEEncoder.*missing \(.*state dict of openai'):
        DALLEEncoder(**DALLE, checkpoint=str(path))
    with pytest.raises(
        ValueError, match=r'codebook.weight is \(16, 8\) instead of \(17, 8\).*train'
    ):
        DiscreteVAE(**{**SMALL, 'num_tokens': 17}, checkpoint=str(path))
    path.write_bytes(b'no checkpoint')
    with pytest.raises(ValueError, match='file.pth'):
        DALLEEncoder(**DALLE, checkpoint=str(path))
    with pytest.raises(ValueError, match='patch_size=6 must be a power of two'):
        DiscreteVAE(patch_size=6)


def test_dalle_scales_pixels_as_it_was_trained(tmp_path):
    """Pixels in [0, 1] become 0.8 x + 0.1; a token covers 8x8 pixels."""
    torch.manual_seed(0)
    encoder, images = DALLEEncoder(**DALLE), pictures(2)
    logits = encoder.blocks(images.float() / 255 * 0.8 + 0.1)
    assert encoder.tokenize(images).shape == (2, 2, 2)
    assert torch.equal(encoder.tokenize(images), logits.argmax(1))


def test_names_of_the_released_encoder():
    """Those of mmpretrain's dalle_encoder.pth: 4 groups of 2 blocks, `w` and `b`."""
    names = set(DALLEEncoder(num_tokens=8, hidden_dims=4).state_dict())
    block = [f'res_path.conv_{i}.{p}' for i in range(1, 5) for p in 'wb']
    assert {
        f'blocks.group_{g}.block_{b}.{n}' for g in range(1, 5) for b in (1, 2) for n in block
    } <= names
    assert {'blocks.input.w', 'blocks.output.conv.b', 'blocks.group_2.block_1.id_path.w'} <= names
