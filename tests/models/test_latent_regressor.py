"""Regressor, decoder and alignment of the context autoencoder."""

import copy

import pytest
import torch
from helpers.masks import cells_of, random_mask
from mmengine.registry import DefaultScope
from torch.nn import functional as F

from mmmim.models.necks import LatentRegressor
from mmmim.models.position import sincos_table
from mmmim.models.regressor_block import RegressorBlock
from mmmim.models.tokenizers import DiscreteVAE
from mmmim.registry import MODELS

P, GRID, WIDTH = 4, (3, 4), 16
PLACE = dict(img_size=(12, 16), patch_size=P)
ARCH = dict(embed_dims=WIDTH, num_layers=2, num_heads=2, feedforward_channels=32)
NECK = dict(
    in_dims=WIDTH, out_dims=48, embed_dims=WIDTH, regressor_depth=2, decoder_depth=2, num_heads=2,
    drop_path_rate=0.0, **PLACE,
)  # fmt: skip


def shake(module):
    """Away from the initial zeros and ones, which would hide mistakes."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        if parameter.requires_grad:
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    return module


def neck(**options):
    return shake(LatentRegressor(**{**NECK, **options})).eval()


def model(neck_options=None, **options):
    cfg = dict(
        type='mmmim.LatentAlignment',
        corruption=dict(type='mmmim.BlockMasking', patch_size=P, num_masked=5),
        backbone=dict(
            type='mmmim.MaskedBEiT', arch=ARCH, **PLACE, rel_pos='none',
            pos_embed='sincos_row_first', masked='drop', out_type='raw',
        ),
        neck=dict(type='mmmim.LatentRegressor', **{**NECK, **(neck_options or {})}),
        target=dict(type='mmmim.PixelTarget', patch_size=P, per_patch=False),
        loss=dict(type='mmmim.MaskedRegressionLoss'),
    )  # fmt: skip
    cfg.update(options)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        built = MODELS.build(cfg)
        built.init_weights()
    return shake(built).eval()


def test_drop_edge_disturbs_the_decoder_alone():
    plain, dropping = neck(), neck(drop_edge=0.5)
    dropping.load_state_dict(plain.state_dict())
    latent, mask = torch.randn(3, 8, WIDTH), random_mask(3, GRID, 5)
    expected, regressed = plain(latent, mask, return_latent=True)
    assert torch.equal(dropping(latent, mask), expected)  # in eval it is not there
    dropping.train()
    first, same = dropping(latent, mask, return_latent=True)
    assert not torch.equal(first, dropping(latent, mask))
    assert torch.equal(same, regressed)
    with pytest.raises(ValueError, match='drop_edge is a probability'):
        neck(drop_edge=1.0)


@pytest.fixture
def views():
    torch.manual_seed(1)
    index = torch.arange(2)
    return dict(image=torch.randn(2, 3, 12, 16), sample_index=index, epoch=torch.zeros_like(index))


def slow_block(block, x, visible, pos, visible_pos):
    """One masked token after another, head by head, from the equations."""
    attn, heads = block.cross_attn, block.cross_attn.num_heads
    everything = torch.cat([visible, x])
    keys = attn.k(block.norm1_k_cross(everything + torch.cat([visible_pos, pos])))
    values = attn.v(block.norm1_v_cross(everything)) + attn.v_bias
    rows = []
    for token, place in zip(x, pos):
        query = attn.q(block.norm1_q_cross(token + place)) + attn.q_bias
        parts = []
        for q, k, v in zip(query.chunk(heads), keys.chunk(heads, 1), values.chunk(heads, 1)):
            parts.append(((k @ q) / len(q) ** 0.5).softmax(0) @ v)
        asked = attn.proj(torch.cat(parts))
        normed = block.norm2_cross(token + block.gamma_1_cross * asked)
        hidden = F.gelu(block.ffn.layers[0][0](normed))
        rows.append(normed + block.gamma_2_cross * block.ffn.layers[1](hidden))
    return torch.stack(rows)


def test_a_block_is_its_equations_token_by_token():
    block = shake(RegressorBlock(WIDTH, 2, 32)).eval()
    x, visible, pos, visible_pos = (torch.randn(1, k, WIDTH) for k in (5, 7, 5, 7))
    expected = slow_block(block, x[0], visible[0], pos[0], visible_pos[0])
    torch.testing.assert_close(block(x, visible, pos, visible_pos)[0], expected)


def test_the_second_residual_starts_from_the_normalised_tokens():
    """Without its branches, a block is a norm, not the identity."""
    block = shake(RegressorBlock(WIDTH, 2, 32)).eval()
    block.gamma_1_cross.data.zero_()
    block.gamma_2_cross.data.zero_()
    x, visible = torch.randn(2, 5, WIDTH) * 3 + 1, torch.randn(2, 7, WIDTH)
    out = block(x, visible, torch.zeros_like(x), torch.zeros_like(visible))
    torch.testing.assert_close(out, block.norm2_cross(x))


def test_stochastic_depth_is_applied_once_per_branch():
    """At 0.5, each branch is left out of half of the samples, not of three quarters."""
    torch.manual_seed(0)
    block = RegressorBlock(WIDTH, 2, 32, drop_path_rate=0.5, layer_scale_init_value=1.0).train()
    x, visible = torch.randn(1, 3, WIDTH), torch.randn(1, 4, WIDTH)
    arguments = [t.expand(4000, -1, -1) for t in (x, visible, x * 0, visible * 0)]
    block.ffn.layers[1].weight.data.zero_()
    block.ffn.layers[1].bias.data.fill_(1.0)
    out = block(*arguments)
    block.ffn.layers[1].bias.data.zero_()
    kinds = torch.unique(out[:, 0].round(decimals=4), dim=0, return_counts=True)[1]
    assert len(kinds) == 4 and ((kinds / 4000 - 0.25).abs() < 0.05).all()


def test_rates_rise_over_the_regressor_and_again_over_the_decoder():
    built = neck(drop_path_rate=0.1, regressor_depth=3, decoder_depth=2)
    rates = [block.drop_path.drop_prob for block in built.regressors]
    assert rates == pytest.approx([0, 0.05, 0.1])
    assert [block.drop_path.drop_prob for block in built.decoders] == pytest.approx([0, 0.1])


@pytest.mark.parametrize('width', [16, 24])
def test_the_neck_is_its_parts_cell_by_cell(width):
    """Own positions, projection of the width, positions once before the decoder."""
    part, mask = neck(embed_dims=width), random_mask(2, GRID, 5)
    latent = torch.randn(2, 8, WIDTH)
    pred, regressed = part(latent, mask, return_latent=True)
    table = sincos_table(width, GRID, convention='row_first')[0]
    visible, masked = cells_of(mask)
    for n in range(2):
        seen = latent[n, 1:]
        if width != WIDTH:
            seen = part.width_projection[1](part.width_projection[0](seen))
        x = part.mask_token[0].expand(5, -1)
        for block in part.regressors:
            x = slow_block(block, x, seen, table[masked[n]], table[visible[n]])
        x = part.norm_regressor(x)
        torch.testing.assert_close(regressed[n], x)
        x = (x + table[masked[n]])[None]
        for block in part.decoders:
            x = block(x)
        torch.testing.assert_close(pred[n], part.head(part.norm_decoder(x))[0])


def test_predicting_all_cells_keeps_those_of_masked_ones():
    part, mask = neck(), random_mask(2, GRID, 5)
    latent = torch.randn(2, 8, WIDTH)
    whole, masked = part(latent, mask, predict='all'), part(latent, mask)
    visible, hidden = cells_of(mask)
    table = part.position(GRID)[0]
    for n in range(2):
        torch.testing.assert_close(whole[n, hidden[n]], masked[n])
        seen = part.decode(latent[n : n + 1, 1:], table[visible[n]][None])
        torch.testing.assert_close(whole[n, visible[n]], seen[0])


def test_without_a_decoder_the_head_reads_the_regressed_latent():
    part, mask = neck(decoder_depth=0), random_mask(2, GRID, 5)
    pred, regressed = part(torch.randn(2, 8, WIDTH), mask, return_latent=True)
    torch.testing.assert_close(pred, part.head(regressed))
    assert not hasattr(part, 'norm_decoder') and not part.decoders


def test_initial_values():
    """Xavier for every linear layer, or what ``--fix_init_weight`` keeps."""
    part = LatentRegressor(**{**NECK, 'in_dims': 8})
    part.init_weights()
    bound = (6 / (16 + 64)) ** 0.5
    assert 0.9 * bound < part.regressors[0].ffn.layers[0][0].weight.abs().max() <= bound
    head = (6 / (16 + 48)) ** 0.5
    assert 0.9 * head < part.head.weight.abs().max() <= head
    assert 0.015 < part.mask_token.abs().max() <= 0.02
    fixed = LatentRegressor(**NECK, init='beit')
    fixed.init_weights()
    assert 0.019 < fixed.head.weight.abs().max() <= 0.02
    for blocks, name in ((fixed.regressors, 'cross_attn'), (fixed.decoders, 'attn')):
        largest = [getattr(block, name).proj.weight.abs().max().item() for block in blocks]
        assert largest == pytest.approx([0.02 / 2**0.5, 0.02 / 4**0.5], rel=0.05)


def test_the_target_of_the_alignment_is_the_encoding_of_the_masked_patches(views):
    """By a second encoder with the same weights, on images that hold the masked patches alone."""
    part, mask = model(), random_mask(2, GRID, 5)
    copied = copy.deepcopy(part.backbone)
    hidden = mask.repeat_interleave(P, 1).repeat_interleave(P, 2).unsqueeze(1)
    latent = copied(torch.where(hidden, views['image'], 99.0), ~mask)[:, 1:]
    torch.testing.assert_close(part.encode_masked(views['image'], mask), latent)
    pred, regressed = part.neck(part.backbone(views['image'], mask), mask, return_latent=True)
    losses = part.loss(views, mask=mask)
    torch.testing.assert_close(losses['loss_align'], 2 * F.mse_loss(regressed, latent))


def test_no_gradient_reaches_the_encoder_through_the_alignment_target(views):
    """The gradient of both losses is that with the target as a constant."""
    part, mask = model(neck_options=dict(embed_dims=24)), random_mask(2, GRID, 5)
    sum(part.loss(views, mask=mask).values()).backward()
    found = {name: p.grad.clone() for name, p in part.named_parameters() if p.grad is not None}
    part.zero_grad()
    constant = part.encode_masked(views['image'], mask).clone().requires_grad_(False)
    pred, regressed = part.neck(part.backbone(views['image'], mask), mask, return_latent=True)
    prediction = part.loss_module(pred, part.target(views), mask)
    (prediction + 2 * F.mse_loss(regressed, constant)).backward()
    for name, parameter in part.named_parameters():
        if name in found:
            torch.testing.assert_close(parameter.grad, found[name], msg=name)


def test_without_weight_the_branch_is_left_out(views):
    aligned, alone = model(), model(align_weight=0)
    alone.load_state_dict(aligned.state_dict())
    alone.encode_masked = None
    losses, mask = alone.loss(views), random_mask(2, GRID, 5)
    assert set(losses) == {'loss_pred'}
    assert torch.equal(
        alone.loss(views, mask=mask)['loss_pred'], aligned.loss(views, mask=mask)['loss_pred']
    )


def test_the_branch_draws_stochastic_depth_of_its_own(views):
    part = model().train()
    part.backbone.layers[1].drop_path.drop_prob = 0.5
    mask = random_mask(2, GRID, 5)
    targets = [part.encode_masked(views['image'], mask) for _ in range(8)]
    assert any(not torch.equal(targets[0], target) for target in targets)
    assert part.backbone.training


def test_clean_images_are_decoded_without_the_regressor(views):
    part = model()
    drawn = part.decode_clean(views)
    cells = part.backbone(views['image'])[0][:, 1:]
    table = sincos_table(WIDTH, GRID, convention='row_first')
    expected = part.target.to_rgb(part.neck.decode(cells, table), views)
    torch.testing.assert_close(drawn, expected.clamp(0, 1))
    for block in part.neck.regressors:
        block.norm2_cross.weight.data.fill_(7.0)
    assert torch.equal(part.decode_clean(views), drawn)


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match='align_weight must be at least 0, got -1'):
        model(align_weight=-1)
    with pytest.raises(ValueError, match="init must be 'cae' or 'beit', got 'x'"):
        LatentRegressor(init='x')
    with pytest.raises(ValueError, match='regressor_depth must be at least 1, got 0'):
        LatentRegressor(regressor_depth=0)
    with pytest.raises(ValueError, match='needs a mask'):
        neck()(torch.randn(1, 13, WIDTH), None)
    decoder = dict(
        type='mmmim.TransformerDecoder', in_dims=16, out_dims=48, embed_dims=16, num_layers=1,
        num_heads=2, **PLACE,
    )  # fmt: skip
    with pytest.raises(ValueError, match='TransformerDecoder regresses no latent'):
        model(neck=decoder)


def test_it_learns_the_tokens_of_a_discrete_vae(tmp_path):
    """Images of one colour each: the visible patches tell the tokens of the hidden ones."""
    torch.manual_seed(0)
    sizes = dict(patch_size=2, num_tokens=16, codebook_dims=4, hidden_dims=8, num_blocks=1)
    vae = DiscreteVAE(**sizes)
    vae.encoder[0][0].weight.data.mul_(20)  # so that colours, and not biases, decide
    torch.save(vae.state_dict(), tmp_path / 'vae.pth')
    tokenizer = dict(type='mmmim.DiscreteVAE', **sizes, checkpoint=str(tmp_path / 'vae.pth'))
    part = model(
        neck_options=dict(out_dims=16),
        target=dict(type='mmmim.TokenTarget', patch_size=P, tokenizer=tokenizer),
        loss=dict(type='mmmim.TokenCrossEntropy'),
    ).train()
    colours = torch.randint(0, 256, (16, 3, 1, 1), dtype=torch.uint8)
    index = torch.arange(16)
    batch = dict(
        image=(colours.float() / 127.5 - 1).expand(-1, -1, 12, 16),
        tokenizer=colours.expand(-1, -1, 6, 8),
        sample_index=index,
    )
    assert len(part.target({**batch, 'epoch': index}).unique()) > 2
    optimizer = torch.optim.AdamW([p for p in part.parameters() if p.requires_grad], lr=3e-3)
    seen = []
    for epoch in range(60):
        losses = part.loss({**batch, 'epoch': torch.full_like(index, epoch)})
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        seen.append(losses['loss_pred'].item())
    assert min(seen[-5:]) < seen[0] / 2
