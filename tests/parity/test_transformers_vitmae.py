"""MAE against transformers' ViTMAEForPreTraining: same weights, same mask, gradients included."""

import mae
import pytest
import torch
from names import from_vitmae

from mmmim.models.position import sincos_table

vit_mae = pytest.importorskip('transformers.models.vit_mae.modeling_vit_mae')


def reference(sizes, norm_pix=True, seed_weights=True):
    config = vit_mae.ViTMAEConfig(
        hidden_size=sizes['width'],
        num_hidden_layers=sizes['depth'],
        num_attention_heads=sizes['heads'],
        intermediate_size=4 * sizes['width'],
        image_size=sizes['size'],
        patch_size=sizes['patch'],
        decoder_hidden_size=sizes['dec_width'],
        decoder_num_hidden_layers=sizes['dec_depth'],
        decoder_num_attention_heads=sizes['dec_heads'],
        decoder_intermediate_size=4 * sizes['dec_width'],
        layer_norm_eps=1e-6,  # of the official code; the default of transformers is 1e-12
        norm_pix_loss=norm_pix,
    )
    model = vit_mae.ViTMAEForPreTraining(config)
    model.vit.embeddings.initialize_weights()
    model.decoder.initialize_weights((sizes['size'] // sizes['patch']) ** 2)
    return mae.randomise(model) if seed_weights else model


def compare(sizes, norm_pix=True, samples=3, **parts):
    """Loss, predictions and gradients of both, from the reference's own mask."""
    theirs = reference(sizes, norm_pix)
    ours = mae.build(sizes, target=dict(per_patch=norm_pix), **parts).train()
    missing, unexpected = ours.load_state_dict(from_vitmae(theirs.state_dict()), strict=False)
    assert unexpected == [] and set(missing) <= {'backbone.mid_mask_token'}
    batch, side = mae.views(samples, sizes), sizes['size'] // sizes['patch']
    output = theirs(batch['image'], noise=torch.rand(samples, side * side))
    mask = output.mask.bool().reshape(samples, side, side)
    torch.testing.assert_close(mae.predict(ours, batch, mask), output.logits, **mae.TOLERANCE)
    loss = ours.loss(batch, mask=mask)['loss']
    torch.testing.assert_close(loss, output.loss, **mae.TOLERANCE)
    loss.backward()
    output.loss.backward()
    gradients = mae.gradients(ours)
    gradients.pop('backbone.mid_mask_token', None)
    mae.assert_same_gradients(gradients, from_vitmae(mae.gradients(theirs)))


@pytest.mark.parametrize('norm_pix', [True, False])
def test_mae_equals_vitmae(norm_pix):
    compare(mae.TINY, norm_pix)


def test_drop_edge_of_nothing_is_mae():
    compare(mae.TINY, neck=dict(drop_edge=0.0))


def test_the_path_of_drop_edge_is_mae_where_nothing_falls():
    compare(mae.TINY, neck=dict(drop_edge=1e-12))


def test_mid_level_tokens_of_ratio_0_are_mae():
    compare(mae.TINY, backbone=dict(mid_mask_depth=1, mid_mask_ratio=0.0))


def test_predicting_all_cells_is_mae():
    compare(mae.TINY, neck=dict(predict='all'))


@pytest.mark.long
def test_mae_equals_vitmae_at_full_size():
    compare(mae.BASE, samples=2)


def test_their_tables_are_ours():
    theirs = reference(mae.TINY, seed_weights=False)
    table = theirs.vit.embeddings.position_embeddings
    torch.testing.assert_close(table.data, sincos_table(32, (4, 4), 1), rtol=0, atol=1e-6)
    table = theirs.decoder.decoder_pos_embed
    torch.testing.assert_close(table.data, sincos_table(48, (4, 4), 1), rtol=0, atol=1e-6)


def test_initial_weights_are_drawn_alike():
    """As far as transformers follows MAE's code; its linear layers are not uniform."""
    ours = mae.build(mae.TINY)
    ours.init_weights()
    theirs = from_vitmae(reference(mae.TINY, seed_weights=False).state_dict())
    state = ours.state_dict()
    flat = [name for name in state if state[name].dim() == 1 and 'projection' not in name]
    assert len(flat) > 30 and all(torch.equal(state[name], theirs[name]) for name in flat)
    name = 'backbone.patch_embed.projection.weight'
    assert state[name].abs().max().item() == pytest.approx(theirs[name].abs().max().item(), 0.02)
    name = 'backbone.cls_token'
    assert state[name].std().item() == pytest.approx(theirs[name].std().item(), 0.5)


def test_number_of_parameters_at_full_size():
    """111,907,840 values, 252,160 of them in fixed tables (the released ViT-B checkpoint)."""
    with torch.device('meta'):
        model = mae.build(mae.BASE)
    sizes = {name: value.numel() for name, value in model.state_dict().items()}
    assert sum(sizes.values()) == 111_907_840
    fixed = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    assert fixed == 252_160
    assert len(sizes) == 254
