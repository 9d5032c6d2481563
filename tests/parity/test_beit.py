"""MaskedBEiT against mmpretrain's BEiT where that is right; where it is wrong, the fault pinned."""

import mae
import pytest
import torch
from mmpretrain.models.backbones import BEiTViT
from mmpretrain.models.backbones.beit import BEiTTransformerEncoderLayer
from mmpretrain.models.selfsup.beit import BEiTPretrainViT

from mmmim.models.backbones import MaskedBEiT
from mmmim.models.beit_block import BEiTBlock

ARCH = dict(embed_dims=32, num_layers=3, num_heads=4, feedforward_channels=64)
SHAPE = dict(arch=ARCH, img_size=32, patch_size=8)
TABLES = {
    'none': dict(use_rel_pos_bias=False, use_shared_rel_pos_bias=False),
    'shared': dict(use_rel_pos_bias=False, use_shared_rel_pos_bias=True),
    'per_block': dict(use_rel_pos_bias=True, use_shared_rel_pos_bias=False),
}


def pair(rel_pos, theirs=BEiTViT, pos_embed='none', **options):
    """Ours with random values, and mmpretrain's with the same, both in eval mode."""
    ours = MaskedBEiT(**SHAPE, rel_pos=rel_pos, pos_embed=pos_embed, **options)
    mae.randomise(ours).eval()
    twin = theirs(**SHAPE, **TABLES[rel_pos], use_abs_pos_emb=pos_embed != 'none', **options)
    twin.eval()  # returns None
    state = {n: v for n, v in ours.state_dict().items() if n != 'mask_token'}
    if theirs is BEiTPretrainViT:
        state = ours.state_dict()
    missing, unexpected = twin.load_state_dict(state, strict=False)
    assert all(name.endswith('relative_position_index') for name in missing) and not unexpected
    return ours, twin


def run(model, pick, *inputs):
    model.zero_grad()
    outputs = pick(model(*inputs))
    sum(output.square().mean() for output in outputs).backward()
    return outputs, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


OPTIONS = [
    dict(rel_pos='shared', out_type='raw', final_norm=True, out_indices=[0, 2]),
    dict(rel_pos='per_block', out_type='avg_featmap', final_norm=False),
    dict(rel_pos='none', out_type='cls_token', final_norm=True, pos_embed='learned'),
    dict(rel_pos='shared', out_type='featmap', final_norm=True, layer_scale_init_value=0),
    dict(rel_pos='none', out_type='avg_featmap', final_norm=True, with_cls_token=False),
]


@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_without_a_mask_it_is_mmpretrains(options):
    ours, theirs = pair(**options)
    image = torch.randn(2, 3, 32, 32)
    (outputs, grads), (expected, reference) = (run(m, list, image) for m in (ours, theirs))
    torch.testing.assert_close(outputs, expected, **mae.TOLERANCE)
    mae.assert_same_gradients(grads, reference)


@pytest.mark.parametrize('rel_pos', ['shared', 'none'])
def test_with_a_mask_it_is_mmpretrains(rel_pos):
    """BEiT's pre-training: masked patches replaced, nothing dropped."""
    ours, theirs = pair(rel_pos, BEiTPretrainViT, final_norm=True, out_type='raw')
    image, mask = torch.randn(2, 3, 32, 32), torch.rand(2, 4, 4) < 0.4
    outputs, grads = run(ours, lambda latent: [latent], image, mask)
    expected, reference = run(theirs, list, image, mask)
    torch.testing.assert_close(outputs[0], expected[0], **mae.TOLERANCE)
    mae.assert_same_gradients(grads, reference)


def test_mmpretrains_attention_dropout_never_arrives():
    """Were this to turn red, mmpretrain would have mended it; ours must drop either way."""
    sizes = dict(embed_dims=32, num_heads=4, feedforward_channels=64)
    x = torch.randn(2, 5, 32)
    for rate in ('attn_drop_rate', 'drop_rate'):
        theirs = BEiTTransformerEncoderLayer(
            **sizes, layer_scale_init_value=1.0, window_size=None, use_rel_pos_bias=False,
            **{rate: 0.5},
        ).train()  # fmt: skip
        attention = theirs.attn
        assert torch.equal(attention(x), attention(x))
        ours = BEiTBlock(**sizes, **{rate: 0.5}).train().attn
        assert not torch.equal(ours(x), ours(x))
        ours.eval()
        assert torch.equal(ours(x), ours(x))


def kept_shares(block, make_one_branch):
    """Share of samples of which a branch of ``block`` is kept, counted."""
    make_one_branch(block)
    x = torch.randn(4000, 1, 32)
    with torch.no_grad():
        changed = (block.train()(x, None) != x).flatten(1).any(1)
    return changed.float().mean().item()


@pytest.mark.parametrize('branch', ['attn', 'ffn'])
def test_stochastic_depth_is_applied_once_per_branch(branch):
    def keep(block):
        silent = block.ffn.layers[1] if branch == 'attn' else block.attn.proj
        torch.nn.init.zeros_(silent.weight)
        torch.nn.init.zeros_(silent.bias)

    sizes = dict(embed_dims=32, num_heads=4, feedforward_channels=64, drop_path_rate=0.5)
    assert kept_shares(BEiTBlock(**sizes), keep) == pytest.approx(0.5, abs=0.04)
    theirs = BEiTTransformerEncoderLayer(
        **sizes, layer_scale_init_value=1.0, window_size=None, use_rel_pos_bias=False
    )
    fault = 0.25 if branch == 'ffn' else 0.5
    assert kept_shares(theirs, keep) == pytest.approx(fault, abs=0.04)
