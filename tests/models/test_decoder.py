"""The decoder against one that puts every token back into the grid."""

import pytest
import torch
from helpers.masks import cells_of, random_mask

from mmmim.models.necks import TransformerDecoder
from mmmim.models.position import sincos_table, sinusoid_table
from mmmim.models.tokens import pick_masked

GRID, P, D = (3, 4), 4, 16
L = 12


def build(**options):
    decoder = TransformerDecoder(
        **{
            **dict(in_dims=8, out_dims=5, embed_dims=D, num_layers=2, num_heads=2, patch_size=P),
            **dict(img_size=(GRID[0] * P, GRID[1] * P)),
            **options,
        }
    )
    decoder.init_weights()
    torch.nn.init.normal_(decoder.decoder_pred.bias)
    return decoder.eval()


@pytest.fixture
def mask():
    return random_mask(3, GRID, 8)


def full_grid(decoder, latent, given):
    """MAE's way: a grid of mask tokens, the latent put where it belongs, position added.

    ``given`` are the cells of the latent, per sample and in its order. Returns (N, L, T).
    """
    x = decoder.decoder_embed(latent)
    prefix, cells = x[:, : decoder.num_prefix], x[:, decoder.num_prefix :]
    grid = decoder.mask_token.repeat(len(x), L, 1)
    for n, order in enumerate(given):
        for token, cell in enumerate(order):
            grid[n, cell] = cells[n, token]
    x = torch.cat([prefix, grid], dim=1) + decoder.decoder_pos_embed
    for block in decoder.decoder_blocks:
        x = block(x)
    return decoder.decoder_pred(decoder.ln1(x))[:, decoder.num_prefix :]


def take(pred, cells):
    return torch.stack([pred[n, row] for n, row in enumerate(cells)])


@pytest.mark.parametrize('num_prefix', [0, 1, 3])
def test_prediction_equals_that_on_the_restored_grid(mask, num_prefix):
    decoder = build(num_prefix=num_prefix)
    visible, masked = cells_of(mask)
    latent = torch.randn(3, num_prefix + 4, 8)
    expected = full_grid(decoder, latent, visible)
    torch.testing.assert_close(decoder(latent, mask, predict='all'), expected)
    torch.testing.assert_close(decoder(latent, mask), take(expected, masked))


@pytest.mark.parametrize('extra', [1, 3, 7])
def test_mid_level_tokens_find_their_cells(mask, extra):
    decoder = build()
    chosen = pick_masked(mask, extra).visible.tolist()
    visible, masked = cells_of(mask)
    latent = torch.randn(3, 1 + 4 + extra, 8)
    expected = full_grid(decoder, latent, [v + c for v, c in zip(visible, chosen)])
    torch.testing.assert_close(decoder(latent, mask, predict='all'), expected)
    torch.testing.assert_close(decoder(latent, mask), take(expected, masked))


def test_a_backbone_that_keeps_all_tokens(mask):
    decoder = build()
    latent = torch.randn(3, 1 + L, 8)
    expected = full_grid(decoder, latent, [list(range(L))] * 3)
    torch.testing.assert_close(decoder(latent, mask, predict='all'), expected)
    torch.testing.assert_close(decoder(latent, mask), take(expected, cells_of(mask)[1]))
    torch.testing.assert_close(decoder(latent), expected)


def test_the_configured_choice_of_cells(mask):
    latent = torch.randn(3, 5, 8)
    decoder = build(predict='all')
    assert decoder(latent, mask).shape == (3, 12, 5)
    assert torch.equal(decoder(latent, mask), decoder(latent, mask, predict='all'))
    assert build()(latent, mask).shape == (3, 8, 5)


def test_another_grid_than_the_configured_one():
    decoder = build()
    mask = random_mask(2, (5, 6), 20)
    pred = decoder(torch.randn(2, 11, 8), mask, predict='all')
    assert pred.shape == (2, 30, 5)
    table = decoder.position((5, 6))
    assert torch.equal(table[:, :1], decoder.decoder_pos_embed[:, :1]) and table.shape[1] == 31


def test_the_position_table_is_fixed_and_that_of_mae():
    decoder = build()
    assert torch.equal(decoder.decoder_pos_embed, sincos_table(D, GRID, 1, 'column_first'))
    assert not decoder.decoder_pos_embed.requires_grad
    assert 0.01 < decoder.mask_token.std() < 0.04


def recorded_attention(decoder, latent, mask, monkeypatch):
    """What ``attend`` is called with during a forward pass: a dropout per block."""
    from mmmim.models.attention import attend
    from mmmim.models.transformer import SelfAttention

    calls, mix = [], SelfAttention.mix

    def record(q, k, v, dropout_p=0.0, bias=None):
        calls.append(dropout_p)
        return attend(q, k, v, dropout_p=dropout_p, bias=bias)

    with monkeypatch.context() as patch:
        patch.setattr(SelfAttention, 'mix', lambda self, x, **more: mix(self, x, record, **more))
        decoder(latent, mask)
    return calls


def test_drop_edge_acts_in_every_block_while_training(mask, monkeypatch):
    decoder, latent = build(drop_edge=0.3, num_layers=3), torch.randn(3, 5, 8)
    assert recorded_attention(decoder.train(), latent, mask, monkeypatch) == [0.3] * 3
    assert recorded_attention(decoder.eval(), latent, mask, monkeypatch)[-3:] == [0.0] * 3


def test_drop_edge_is_not_there_in_eval(mask):
    dropping, plain = build(drop_edge=0.3), build()
    plain.load_state_dict(dropping.state_dict())
    latent = torch.randn(3, 5, 8)
    assert torch.equal(dropping(latent, mask), plain(latent, mask))
    assert not torch.equal(dropping.train()(latent, mask), plain(latent, mask))


def test_drop_edge_touches_attention_alone():
    """With attention projected to nothing, training and evaluation agree."""
    decoder = build(drop_edge=0.9)
    for block in decoder.decoder_blocks:
        torch.nn.init.zeros_(block.attn.proj.weight)
    latent, mask = torch.randn(3, 5, 8), random_mask(3, GRID, 8)
    assert torch.equal(decoder.train()(latent, mask), decoder.eval()(latent, mask))


def test_drop_edge_keeps_the_expectation():
    """One block, values only: the mean over many draws is the output without dropping."""
    decoder = build(drop_edge=0.3, num_layers=1)
    attn = decoder.decoder_blocks[0].attn
    x = torch.randn(1, 12, D)
    expected = attn.eval()(x)[0]
    drawn = attn.train()(x.expand(1000, -1, -1))
    error = drawn.std(0) / 1000**0.5
    assert ((drawn.mean(0) - expected).abs() < 5 * error + 1e-6).all()


def test_options_are_checked(mask):
    with pytest.raises(ValueError, match=r'drop_edge is a probability in \[0, 1\), got 1.0'):
        build(drop_edge=1.0)
    with pytest.raises(ValueError, match="must be 'masked' or 'all', got 'visible'"):
        build(predict='visible')
    with pytest.raises(ValueError, match='does not divide the image size'):
        build(patch_size=5)
    with pytest.raises(ValueError, match='4 cells that is not the whole grid needs the mask'):
        build()(torch.randn(3, 5, 8))


def test_options_of_beyond_masking():
    """1-D sinusoid, projection without bias, no prefix, weights cut off at one deviation."""
    decoder = build(
        num_prefix=0, pos_embed='sinusoid_1d', embed_bias=False, init='trunc_normal', embed_dims=64
    )
    assert torch.equal(decoder.decoder_pos_embed, sinusoid_table(64, L))
    assert decoder.decoder_embed.bias is None
    weight = decoder.decoder_blocks[0].ffn.layers[1].weight.detach()
    assert 0.019 < weight.abs().max() < 0.020001 and decoder.mask_token.abs().max() < 0.020001
    assert weight.std().item() == pytest.approx(0.02 * 0.5396, rel=0.05)  # of a normal cut off at 1
    assert decoder.decoder_embed.weight.abs().max() > 0.2  # as torch makes it: 1 / sqrt(8)


def test_without_mask_tokens_every_cell_must_be_there(mask):
    decoder = build(num_prefix=0, mask_tokens=False)
    assert 'mask_token' not in decoder.state_dict()
    assert decoder(torch.randn(3, L, 8), mask).shape == (3, 8, 5)
    with pytest.raises(ValueError, match='holds 4 of 12 cells.*mask_tokens=True'):
        decoder(torch.randn(3, 4, 8), mask)
    with pytest.raises(ValueError, match="init must be .* got 'xavier'"):
        build(init='xavier')
