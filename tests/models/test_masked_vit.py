"""The masked ViT: which tokens it encodes, where they come from, and its options."""

import pytest
import torch
from helpers.masks import cells_of, random_mask

from mmmim.models.backbones import MaskedViT
from mmmim.models.position import sincos_table
from mmmim.models.tokens import pick_masked

ARCH = dict(embed_dims=16, num_layers=3, num_heads=2, feedforward_channels=32)
GRID, P = (3, 4), 4
SIZE = (GRID[0] * P, GRID[1] * P)


def build(**options):
    vit = MaskedViT(**{**dict(arch=ARCH, img_size=SIZE, patch_size=P), **options})
    vit.init_weights()
    for name, parameter in vit.named_parameters():
        if parameter.dim() == 1:  # so that no bias or scale hides behind its initial value
            torch.nn.init.normal_(parameter, mean=float('ln' in name), std=0.3)
    return vit.eval()


@pytest.fixture
def images():
    return torch.randn(2, 3, *SIZE)


@pytest.fixture
def mask():
    return random_mask(2, GRID, 7)


def embed_loop(vit, images):
    """Every patch through the convolution by itself: (N, L, D), without position."""
    rows = []
    for top in range(0, images.shape[2], P):
        for left in range(0, images.shape[3], P):
            patch = images[:, :, top : top + P, left : left + P]
            rows.append(vit.patch_embed.projection(patch).flatten(1))
    return torch.stack(rows, dim=1)


def with_prefix(vit, cells):
    """Put class token and its position in front of (N, K, D)."""
    if not vit.with_cls_token:
        return cells
    first = (vit.cls_token + vit.pos_embed[:, :1]).expand(len(cells), -1, -1)
    return torch.cat([first, cells], dim=1)


def run(vit, x, first=0, last=None):
    for layer in vit.layers[first:last]:
        x = layer(x)
    return x


def visible_by_loop(vit, images, mask):
    """(N, Lv, D): embedding plus position of the visible cells."""
    table = vit.pos_embed[0, vit.num_prefix :]
    embedded = embed_loop(vit, images) + table
    return torch.stack([embedded[n, cells] for n, cells in enumerate(cells_of(mask)[0])])


@pytest.mark.parametrize('with_cls_token', [True, False])
@pytest.mark.parametrize('final_norm', [True, False])
def test_drop_encodes_visible_patches_alone(images, mask, with_cls_token, final_norm):
    vit = build(with_cls_token=with_cls_token, final_norm=final_norm, out_type='raw')
    latent = vit(images, mask)
    expected = run(vit, with_prefix(vit, visible_by_loop(vit, images, mask)))
    expected = vit.ln1(expected) if final_norm else expected
    assert latent.shape == (2, 5 + with_cls_token, 16)
    torch.testing.assert_close(latent, expected)


def test_replace_puts_the_mask_token_in_place_of_masked_patches(images, mask):
    vit = build(masked='replace')
    embedded = embed_loop(vit, images)
    for n, cells in enumerate(cells_of(mask)[1]):
        embedded[n, cells] = vit.mask_token[0, 0]
    x = with_prefix(vit, embedded + vit.pos_embed[:, 1:])
    torch.testing.assert_close(vit(images, mask), vit.ln1(run(vit, x)))
    assert vit.mask_token.std() > 0


@pytest.mark.parametrize(('depth', 'ratio', 'count'), [(1, 0.25, 3), (2, 0.4, 4), (2, 0.0, 0)])
def test_mid_level_mask_tokens_join_after_the_given_block(images, mask, depth, ratio, count):
    """Masked cells picked by the mask, one shared token, the encoder's own positions."""
    vit = build(mid_mask_depth=depth, mid_mask_ratio=ratio)
    x = run(vit, with_prefix(vit, visible_by_loop(vit, images, mask)), last=depth)
    chosen = pick_masked(mask, count).visible
    table = vit.pos_embed[0, 1:]
    inserted = [[vit.mid_mask_token[0, 0] + table[cell] for cell in row] for row in chosen.tolist()]
    if count:
        x = torch.cat([x, torch.stack([torch.stack(row) for row in inserted])], dim=1)
    expected = vit.ln1(run(vit, x, first=depth))
    latent = vit(images, mask)
    assert latent.shape == (2, 1 + 5 + count, 16)
    torch.testing.assert_close(latent, expected)


def test_mid_level_tokens_stay_out_when_nothing_is_masked(images):
    vit, plain = build(mid_mask_depth=1), build()
    plain.load_state_dict(vit.state_dict(), strict=False)
    assert torch.equal(vit(images)[0], plain(images)[0])


def test_mid_level_tokens_cannot_stand_for_all_masked_cells(images, mask):
    """The decoder tells a latent in grid order from one with inserted tokens by its length."""
    vit = build(mid_mask_depth=1, mid_mask_ratio=7 / 12)
    with pytest.raises(ValueError, match='mid_mask_ratio'):
        vit(images, mask)


@pytest.mark.parametrize(
    ('out_type', 'shape'),
    [('raw', (2, 13, 16)), ('cls_token', (2, 16)), ('featmap', (2, 16, 3, 4)),
     ('avg_featmap', (2, 16))],
)  # fmt: skip
def test_output_types(images, out_type, shape):
    vit = build(out_type=out_type, out_indices=[0, -1])
    raw = build(out_type='raw')
    raw.load_state_dict(vit.state_dict(), strict=False)
    tokens = raw(images)[0]
    first, last = vit(images)
    assert first.shape == last.shape == shape and not torch.equal(first, last)
    patches = tokens[:, 1:]
    expected = {
        'raw': tokens,
        'cls_token': tokens[:, 0],
        'featmap': torch.stack([patches[:, 4 * r : 4 * r + 4] for r in range(3)], 1).movedim(3, 1),
        'avg_featmap': vit.ln2(sum(patches.unbind(1)) / 12) if out_type == 'avg_featmap' else None,
    }[out_type]
    torch.testing.assert_close(last, expected)


def test_only_the_last_block_is_normalised(images):
    vit = build(out_type='raw', out_indices=[0, 1, 2])
    x = with_prefix(vit, embed_loop(vit, images) + vit.pos_embed[:, 1:])
    for i, out in enumerate(vit(images)):
        x = vit.layers[i](x)
        torch.testing.assert_close(out, vit.ln1(x) if i == 2 else x)


def test_an_odd_size_is_padded_with_zeros_at_the_bottom_and_on_the_right():
    vit = build(out_type='featmap')
    image = torch.randn(1, 3, 10, 13)
    padded = torch.zeros(1, 3, *SIZE[:1], 16)
    padded[:, :, :10, :13] = image
    assert torch.equal(vit(image)[0], vit(padded)[0])


def test_positions_of_another_size():
    interpolated, recomputed = build(), build(pos_resize='recompute')
    own = sincos_table(16, GRID, 1)
    assert torch.equal(interpolated.position(GRID), own)
    assert torch.equal(recomputed.position((5, 2)), sincos_table(16, (5, 2), 1))
    table = own[:, 1:].reshape(1, 3, 4, 16).permute(0, 3, 1, 2)
    larger = torch.nn.functional.interpolate(table, size=(5, 6), mode='bicubic')
    larger = torch.cat([own[:, :1], larger.flatten(2).transpose(1, 2)], dim=1)
    torch.testing.assert_close(interpolated.position((5, 6)), larger)


@pytest.mark.parametrize(
    ('pos_embed', 'convention'), [('sincos', 'column_first'), ('sincos_row_first', 'row_first')]
)
def test_fixed_tables(pos_embed, convention):
    vit = build(pos_embed=pos_embed)
    assert torch.equal(vit.pos_embed, sincos_table(16, GRID, 1, convention))
    assert not vit.pos_embed.requires_grad


def test_a_learned_table_is_trained():
    vit = build(pos_embed='learned')
    assert vit.pos_embed.requires_grad
    assert 0.015 < vit.pos_embed.std() < 0.025


def test_a_mask_of_another_grid_is_refused(images):
    with pytest.raises(ValueError, match=r'a mask of \(4, 3\) cells does not fit .* \(3, 4\)'):
        build()(images, random_mask(2, (4, 3), 7))


def test_a_mask_needs_whole_patches(mask):
    with pytest.raises(ValueError, match='patch_size 4 does not divide the image size 10x16'):
        build()(torch.randn(2, 3, 10, 16), mask)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(arch='giga'), "arch 'giga' is unknown: choose from"),
        (dict(arch=dict(embed_dims=8)), "lacks .'num_layers', 'num_heads'"),
        (dict(out_type='map'), "out_type must be one of .* got 'map'"),
        (dict(pos_embed='2d'), "pos_embed must be one of .* got '2d'"),
        (dict(pos_resize='crop'), "pos_resize must be one of .* got 'crop'"),
        (dict(masked='keep'), "masked must be one of .* got 'keep'"),
        (dict(pos_resize='recompute', pos_embed='learned'), 'needs a fixed table'),
        (dict(with_cls_token=False), 'needs with_cls_token=True'),
        (dict(frozen_stages=4), r'frozen_stages must lie in -1..3, got 4'),
        (dict(out_indices=[3]), r'out_indices \[3\] do not fit 3 blocks'),
        (dict(mid_mask_depth=3), r'mid_mask_depth must lie in 1..2, got 3'),
        (dict(mid_mask_depth=0), r'mid_mask_depth must lie in 1..2, got 0'),
        (dict(mid_mask_depth=1, masked='replace'), "needs masked='drop'"),
    ],
)
def test_options_are_checked(options, text):
    with pytest.raises(ValueError, match=text):
        build(**options)


def test_initial_weights():
    vit = MaskedViT(arch=dict(ARCH, embed_dims=64, feedforward_channels=128), img_size=SIZE,
                    patch_size=P, masked='replace')  # fmt: skip
    vit.init_weights()
    weight = vit.patch_embed.projection.weight
    bound = (6 / (64 + 3 * P * P)) ** 0.5  # as a linear layer, not as a convolution
    assert 0.98 * bound < weight.abs().max() <= bound
    for token in (vit.cls_token, vit.mask_token):
        assert 0.012 < token.std() < 0.03
    assert not vit.layers[0].attn.qkv.bias.any()


def test_recomputing_blocks_changes_no_gradient(images, mask):
    vit, saving = build(), build(with_cp=True)
    saving.load_state_dict(vit.state_dict())
    for model in (vit, saving):
        model.train()(images, mask).square().sum().backward()
    for (name, parameter), other in zip(vit.named_parameters(), saving.parameters()):
        if parameter.requires_grad:
            torch.testing.assert_close(parameter.grad, other.grad, msg=name)


@pytest.mark.parametrize('stages', [0, 2, 3])
def test_frozen_stages(images, stages):
    vit = build(frozen_stages=stages, drop_path_rate=0.5, drop_rate=0.5).train()
    trained = {name for name, p in vit.named_parameters() if p.requires_grad}
    frozen = {name for name, _ in vit.named_parameters()} - trained
    assert {name.split('.')[1] for name in trained if name.startswith('layers')} == {
        str(i) for i in range(stages, 3)
    }
    assert {'patch_embed.projection.weight', 'cls_token', 'pos_embed'} <= frozen
    assert ('ln1.weight' in frozen) is (stages == 3)
    assert [layer.training for layer in vit.layers] == [i >= stages for i in range(3)]
    assert not vit.drop_after_pos.training


def test_depths_of_parameters():
    vit = build(mid_mask_depth=1, out_type='avg_featmap')
    depths = {name: vit.get_layer_depth(f'b.{name}', 'b.') for name, _ in vit.named_parameters()}
    for name in ('cls_token', 'pos_embed', 'patch_embed.projection.weight'):
        assert depths[name] == (0, 5)
    for i in range(3):
        assert depths[f'layers.{i}.attn.qkv.weight'] == depths[f'layers.{i}.ln2.bias'] == (i + 1, 5)
    assert depths['ln1.weight'] == depths['ln2.weight'] == (4, 5)
    assert depths['mid_mask_token'] == (1, 5)
    assert vit.get_layer_depth('head.weight', 'b.') == (4, 5)


def test_stochastic_depth_rises_linearly():
    vit = build(drop_path_rate=0.2)
    for i, layer in enumerate(vit.layers):
        assert layer.attn.out_drop.drop_prob == pytest.approx(0.1 * i)
        assert layer.ffn.out_drop.drop_prob == pytest.approx(0.1 * i)


def test_small_is_the_small_of_the_field():
    with torch.device('meta'):
        vit = MaskedViT('small')
    assert (vit.embed_dims, vit.num_layers, vit.layers[0].attn.num_heads) == (384, 12, 6)
