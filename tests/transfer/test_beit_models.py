"""Checkpoints of BEiT and SimMIM: names and shapes of the released models, every tensor in its
place, and their encoders in models of other sizes and with tables of their own.

keys/*.txt lists name and shape of every tensor of a released pre-training model.
"""

from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.models.necks import SimMIMLinearDecoder
from mmpretrain.models.selfsup import SimMIMSwinTransformer
from mmpretrain.models.selfsup.beit import BEiTPretrainViT

import mmmim
from mmmim.models.backbones import MaskedBEiT, MaskedSwin, MaskedViT
from mmmim.models.rel_pos import relative_index, resize_table
from mmmim.models.tokens import patchify
from mmmim.registry import MODELS
from mmmim.transfer import load_pretrained

KEYS = Path(__file__).parent / 'keys'
FILES = ('beit_vit_b_pretrain', 'simmim_vit_b_pretrain')
HEADS, GRID = 12, (14, 14)
# Sizes of the released models -> tiny ones; the grid, and with it the tables, stay.
SMALLER = {768: 24, 2304: 72, 3072: 96, 8192: 50}


def shapes(file, smaller=None):
    lines = (KEYS / f'{file}.txt').read_text().splitlines()
    found = dict(line.split('\t') for line in lines)
    sizes = {name: [int(n) for n in shape.split('x')] for name, shape in found.items()}
    return {n: tuple((smaller or {}).get(s, s) for s in shape) for n, shape in sizes.items()}


def state_of(file, smaller=None):
    """Random values, the index as both repositories compute it; SimMIM's pixels stay whole."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes(file, smaller).items():
        if name.startswith('decoder.'):
            shape = (768, *shape[1:])
        state[name] = torch.randn(shape, generator=generator)
        if name.endswith('relative_position_index'):
            state[name] = relative_index(GRID, 1).clone()
    return state


def model(file, width=24, vocabulary=50, **backbone):
    simmim = file.startswith('simmim')
    arch = dict(embed_dims=width, num_layers=12, num_heads=HEADS, feedforward_channels=4 * width)
    cfg = dict(
        type='mmmim.MaskedImageModeling',
        corruption=dict(type='mmmim.RandomMasking'),
        backbone=dict(type='mmmim.MaskedBEiT', arch=arch, out_type='raw', **backbone),
        neck=dict(type='mmmim.LinearDecoder', in_dims=width, out_dims=vocabulary),
        target=dict(type='mmmim.PixelTarget', per_patch=False),
        loss=dict(type='mmmim.MaskedRegressionLoss'),
    )
    if simmim:
        cfg['neck']['out_dims'] = 768
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build({**cfg, 'neck': dict(cfg['neck'], out_dims=768)})
        model.neck = MODELS.build(cfg['neck'])  # no tokenizer is needed to load a classifier
    return model


@pytest.mark.filterwarnings('ignore:for .* copying from a non-meta')
@pytest.mark.parametrize('file', FILES)
def test_every_name_and_shape_of_the_released_models_fits(file, tmp_path):
    """At full size: tensors without memory of their own, a model on the meta device."""
    state = {name: torch.zeros(1).expand(shape) for name, shape in shapes(file).items()}
    prefix = 'encoder.' if file.startswith('simmim') else ''
    state[f'{prefix}rel_pos_bias.relative_position_index'] = relative_index(GRID, 1).clone()
    torch.save(dict(model=state), tmp_path / 'file.pth')
    with torch.device('meta'):
        ours = model(file, 768, 8192)
    loaded = mmmim.load_checkpoint(ours, tmp_path / 'file.pth')['loaded']
    assert loaded == len(state) - 1 == len(ours.state_dict()) == 189
    trained = sum(p.numel() for p in ours.parameters())
    assert trained == {'beit': 91_965_776, 'simmim': 86_256_720}[file.split('_')[0]]


def reference(state, prefix=''):
    """mmpretrain's BEiT with the same weights, renamed here."""
    twin = BEiTPretrainViT(
        arch=dict(embed_dims=24, num_layers=12, num_heads=HEADS, feedforward_channels=96)
    )
    pairs = (
        ('patch_embed.proj.', 'patch_embed.projection.'), ('blocks.', 'layers.'),
        ('norm1.', 'ln1.'), ('norm2.', 'ln2.'), ('mlp.fc1.', 'ffn.layers.0.0.'),
        ('mlp.fc2.', 'ffn.layers.1.'),
    )  # fmt: skip
    renamed = {}
    for name, value in state.items():
        if not name.startswith(prefix) or name.startswith(('lm_head', 'decoder')):
            continue
        name = name[len(prefix) :]
        name = f'ln1.{name[5:]}' if name.startswith('norm.') else name
        for old, new in pairs:
            name = name.replace(old, new)
        renamed[name] = value
    twin.load_state_dict(renamed)
    twin.eval()
    return twin


@pytest.mark.parametrize('file', FILES)
def test_every_value_arrives_where_it_belongs(file, tmp_path):
    """Predictions equal mmpretrain's encoder with the released head behind it."""
    state = state_of(file, SMALLER)
    torch.save(dict(model=state), tmp_path / 'file.pth')
    ours = model(file).eval()
    mmmim.load_checkpoint(ours, tmp_path / 'file.pth')
    simmim = file.startswith('simmim')
    image, mask = torch.randn(1, 3, 224, 224), torch.rand(1, *GRID) < 0.4
    with torch.no_grad():
        latent = reference(state, 'encoder.' if simmim else '')(image, mask)[0][:, 1:]
        if simmim:
            maps = latent.transpose(1, 2).reshape(1, 24, *GRID)
            maps = torch.conv2d(maps, state['decoder.0.weight'], state['decoder.0.bias'])
            expected = patchify(torch.pixel_shuffle(maps, 16), 16)
        else:
            expected = latent @ state['lm_head.weight'].T + state['lm_head.bias']
        pred = ours.neck(ours.backbone(image, mask), mask, predict='all')
    torch.testing.assert_close(pred, expected, rtol=1e-4, atol=1e-4)


def test_mmpretrains_simmim_swin(tmp_path):
    shape = dict(
        arch=dict(embed_dims=8, depths=[1] * 4, num_heads=[1, 2, 2, 4]),
        img_size=64,
        stage_cfgs=dict(block_cfgs=dict(window_size=2)),
    )
    swin, neck = SimMIMSwinTransformer(**shape), SimMIMLinearDecoder(64, encoder_stride=32)
    state = {f'backbone.{n}': v for n, v in swin.state_dict().items()}
    state.update({f'neck.{n}': v for n, v in neck.state_dict().items()})
    for value in state.values():
        if value.is_floating_point():
            torch.nn.init.normal_(value, std=0.2)
    torch.save(dict(state_dict=state), tmp_path / 'swin.pth')
    swin.load_state_dict({n[9:]: v for n, v in state.items() if n.startswith('backbone.')})
    swin.eval()
    cfg = dict(
        type='mmmim.MaskedImageModeling',
        corruption=dict(type='mmmim.RandomMasking', patch_size=32),
        backbone=dict(type='mmmim.MaskedSwin', **shape),
        neck=dict(type='mmmim.LinearDecoder', in_dims=64, out_dims=3072, num_prefix=0),
        target=dict(type='mmmim.PixelTarget', patch_size=32, per_patch=False),
        loss=dict(type='mmmim.MaskedRegressionLoss'),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        ours = MODELS.build(cfg).eval()
    mmmim.load_checkpoint(ours, tmp_path / 'swin.pth')
    image, mask = torch.randn(1, 3, 64, 64), torch.tensor([[[True, False], [False, True]]])
    with torch.no_grad():
        maps = swin(image, mask.repeat_interleave(8, 1).repeat_interleave(8, 2))[0]
        expected = patchify(neck(maps), 32)
        pred = ours.neck(ours.backbone(image, mask), mask, predict='all')
    torch.testing.assert_close(pred, expected, rtol=1e-4, atol=1e-4)
    report = load_pretrained(MaskedSwin(**shape), tmp_path / 'swin.pth')
    assert not (report.missing or report.unexpected or report.mismatched)


@pytest.mark.parametrize('file', FILES)
@pytest.mark.parametrize('rel_pos', ['shared', 'per_block'])
@pytest.mark.parametrize('size', [224, (128, 160)])
def test_encoders_load(file, rel_pos, size, tmp_path):
    """A shared table starts that of every block; another size resizes it."""
    state = state_of(file, SMALLER)
    torch.save(dict(model=state), tmp_path / 'file.pth')
    arch = dict(embed_dims=24, num_layers=12, num_heads=HEADS, feedforward_channels=96)
    backbone = MaskedBEiT(arch, img_size=size, rel_pos=rel_pos, out_type='raw')
    report = load_pretrained(backbone, tmp_path / 'file.pth')
    assert not (report.missing or report.unexpected or report.mismatched)
    assert report.new == ['mask_token']
    prefix = 'encoder.' if file.startswith('simmim') else ''
    table = state[f'{prefix}rel_pos_bias.relative_position_bias_table']
    expected = resize_table(table, GRID, backbone.grid)
    tables = {n: v for n, v in backbone.state_dict().items() if 'relative_position' in n}
    assert len(tables) == (1 if rel_pos == 'shared' else 12)
    assert all(torch.equal(value, expected) for value in tables.values())
    assert set(report.resized) == (set() if size == 224 else set(tables))
    gamma = state[f'{prefix}blocks.3.gamma_2']
    assert torch.equal(backbone.layers[3].gamma_2, gamma)
    assert torch.equal(backbone.layers[3].attn.v_bias, state[f'{prefix}blocks.3.attn.v_bias'])


def test_a_model_without_relative_positions_refuses_them(tmp_path):
    torch.save(dict(model=state_of(FILES[0], SMALLER)), tmp_path / 'beit.pth')
    arch = dict(embed_dims=24, num_layers=12, num_heads=HEADS, feedforward_channels=96)
    plain = MaskedViT(arch, layer_scale_init_value=0.1)
    with pytest.raises(ValueError, match='beit.pth: it holds relative positions .*rel_pos='):
        load_pretrained(plain, tmp_path / 'beit.pth')
    report = load_pretrained(plain, tmp_path / 'beit.pth', min_matched=0)
    assert 'rel_pos_bias.relative_position_bias_table' in report.unexpected


def test_an_index_in_another_order_is_refused(tmp_path):
    state = state_of(FILES[0], SMALLER)
    state['rel_pos_bias.relative_position_index'] = relative_index(GRID, 1).T.clone()
    torch.save(dict(model=state), tmp_path / 'odd.pth')
    with pytest.raises(ValueError, match='relative_position_index is not that of BEiT'):
        mmmim.load_checkpoint(model(FILES[0]), tmp_path / 'odd.pth')
