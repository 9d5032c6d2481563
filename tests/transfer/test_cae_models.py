"""Checkpoints of both CAE repositories: the names and shapes of their models, every tensor in its
place.

keys/*.txt lists name and shape of every tensor of a released pre-training model.
"""

from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope

import mmmim
from mmmim.models.position import sincos_table
from mmmim.registry import MODELS

KEYS = Path(__file__).parent / 'keys'
FILES = sorted(path.stem for path in KEYS.glob('cae_*.txt'))
# Sizes of the released models -> tiny ones, the same in every tensor.
SMALLER = {
    384: 16, 1152: 48, 1536: 64, 768: 24, 2304: 72, 3072: 96, 8192: 50,
}  # fmt: skip


def shapes(file: str, smaller=None) -> dict[str, tuple]:
    lines = (KEYS / f'{file}.txt').read_text().splitlines()
    found = dict(line.split('\t') for line in lines)
    sizes = {name: [int(n) for n in shape.split('x')] for name, shape in found.items()}
    return {n: tuple((smaller or {}).get(s, s) for s in shape) for n, shape in sizes.items()}


def model(width, neck_width, heads=12, vocabulary=8192):
    place = dict(img_size=224, patch_size=16)
    arch = dict(embed_dims=width, num_layers=12, num_heads=heads, feedforward_channels=4 * width)
    cfg = dict(
        type='mmmim.LatentAlignment',
        corruption=dict(type='mmmim.BlockMasking'),
        backbone=dict(
            type='mmmim.MaskedBEiT', arch=arch, **place, rel_pos='none', masked='drop',
            pos_embed='sincos_row_first', out_type='raw',
        ),
        neck=dict(
            type='mmmim.LatentRegressor', in_dims=width, embed_dims=neck_width, num_heads=heads,
            out_dims=vocabulary, **place,
        ),
        target=dict(type='mmmim.PixelTarget'),
        loss=dict(type='mmmim.TokenCrossEntropy'),
    )  # fmt: skip
    cfg['target'] = dict(type='mmmim.TokenTarget', tokenizer=_tokenizer(vocabulary))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(cfg)


class AnyTokens(torch.nn.Module):
    """A tokenizer without weights."""

    def __init__(self, num_tokens):
        super().__init__()
        self.num_tokens = num_tokens


def _tokenizer(vocabulary):
    if 'AnyTokens' not in MODELS.module_dict:
        MODELS.register_module(module=AnyTokens)
    return dict(type='mmmim.AnyTokens', num_tokens=vocabulary)


def tiny_file(file, folder):
    """(path, state) of a tiny checkpoint with random values; the fixed tables are true."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes(file, SMALLER).items():
        state[name] = torch.randn(shape, generator=generator)
        if name.endswith('pos_embed'):
            state[name] = sincos_table(shape[2], (14, 14), 1, 'row_first').clone()
    for name in state:
        copied = name.replace('alignment_encoder.', 'encoder.').replace('teacher.', 'encoder.')
        state[name] = state[copied].clone()
    path = folder / f'{file}.pth'
    torch.save(dict(model=state), path)
    return path, state


def widths(file):
    table = shapes(file)
    return table['encoder.cls_token'][2], table['mask_token'][2]


@pytest.mark.filterwarnings('ignore:for .* copying from a non-meta')
@pytest.mark.parametrize('file', FILES)
def test_every_name_and_shape_of_the_released_models_fits(file, tmp_path):
    """At full size: tensors without memory of their own, a model on the meta device."""
    state = {name: torch.zeros(1).expand(shape) for name, shape in shapes(file).items()}
    for name in state:
        if name.endswith('pos_embed'):
            state[name] = sincos_table(state[name].shape[2], (14, 14), 1, 'row_first')
    torch.save(dict(model=state), tmp_path / 'cae.pth')
    with torch.device('meta'):
        ours = model(*widths(file))
    loaded = mmmim.load_checkpoint(ours, tmp_path / 'cae.pth')['loaded']
    copies = [name for name in state if name.startswith(('alignment_encoder.', 'teacher.'))]
    assert loaded == len(state) - len(copies) - ('rd_pos_embed' in state)
    assert loaded == len(ours.state_dict())


@pytest.mark.parametrize('file', FILES)
def test_every_value_arrives_where_it_belongs(file, tmp_path):
    path, state = tiny_file(file, tmp_path)
    width, neck_width = (SMALLER[w] for w in widths(file))
    ours = model(width, neck_width, heads=4, vocabulary=50)
    mmmim.load_checkpoint(ours, path)
    regressor = 'regresser' if 'regresser.norm.weight' in state else 'pretext_neck'
    decoder = 'decoder' if 'decoder.norm.weight' in state else 'pretext_neck'
    last_norm = 'decoder.norm' if decoder == 'decoder' else 'pretext_neck.norm2'
    block, encoder = f'{regressor}.regressor_blocks.3', 'encoder.blocks.11'
    pairs = {
        f'{encoder}.gamma_1': ours.backbone.layers[11].gamma_1,
        f'{encoder}.attn.q_bias': ours.backbone.layers[11].attn.q_bias,
        f'{encoder}.mlp.fc1.weight': ours.backbone.layers[11].ffn.layers[0][0].weight,
        f'{encoder}.norm2.bias': ours.backbone.layers[11].ln2.bias,
        'encoder.norm.weight': ours.backbone.ln1.weight,
        'encoder.cls_token': ours.backbone.cls_token,
        'mask_token': ours.neck.mask_token,
        f'{block}.norm1_v.weight': ours.neck.regressors[3].norm1_v_cross.weight,
        f'{block}.cross_attn.k.weight': ours.neck.regressors[3].cross_attn.k.weight,
        f'{block}.mlp_cross.fc2.weight': ours.neck.regressors[3].ffn.layers[1].weight,
        f'{block}.gamma_2_cross': ours.neck.regressors[3].gamma_2_cross,
        f'{regressor}.norm.weight': ours.neck.norm_regressor.weight,
        f'{decoder}.decoder_blocks.2.attn.v_bias': ours.neck.decoders[2].attn.v_bias,
        f'{decoder}.decoder_blocks.2.mlp.fc2.bias': ours.neck.decoders[2].ffn.layers[1].bias,
        f'{last_norm}.weight': ours.neck.norm_decoder.weight,
        f'{decoder}.head.weight': ours.neck.head.weight,
    }
    if width != neck_width:
        pairs['encoder_to_regresser.weight'] = ours.neck.width_projection[0].weight
        pairs['encoder_to_regresser_norm.bias'] = ours.neck.width_projection[1].bias
    for name, value in pairs.items():
        assert value.equal(state[name]), name


def test_a_table_or_a_copy_that_is_not_what_it_should_be_is_refused(tmp_path):
    path, state = tiny_file('cae_atten4vis_vit_b_pretrain', tmp_path)
    ours = model(24, 24, heads=4, vocabulary=50)
    torch.save({**state, 'rd_pos_embed': torch.randn(1, 197, 24)}, path)
    with pytest.raises(ValueError, match='rd_pos_embed is not the fixed sin-cos table'):
        mmmim.load_checkpoint(ours, path)
    broken = {n: v for n, v in state.items() if n != 'alignment_encoder.blocks.3.gamma_1'}
    torch.save(broken, path)
    with pytest.raises(ValueError, match='no copy of the encoder: blocks.3.gamma_1'):
        mmmim.load_checkpoint(ours, path)
    torch.save({**state, 'decoder.extra': torch.zeros(2)}, path)
    with pytest.raises(ValueError, match=r'unexpected \(1\): neck.decoder.extra'):
        mmmim.load_checkpoint(ours, path)


def test_a_checkpoint_of_mmpretrain_loads_too(tmp_path):
    ours = model(24, 24, heads=4, vocabulary=50)
    state = {name: torch.randn_like(value) for name, value in ours.state_dict().items()}
    copy = {n.replace('backbone.', 'teacher.'): v for n, v in state.items() if 'backbone.' in n}
    torch.save(dict(state_dict={**state, **copy}), tmp_path / 'mmpretrain.pth')
    mmmim.load_checkpoint(ours, tmp_path / 'mmpretrain.pth')
    assert all(value.equal(state[name]) for name, value in ours.state_dict().items())
