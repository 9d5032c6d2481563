"""UperNet recipes: their numbers, images of any shape, and no compiled operator."""

import math
import subprocess
import sys

import pytest
import torch
from checkpoints import save, timm_names
from helpers import configs, data, tiny
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from tiny_data import make_ade20k

from mmmim.models.backbones import MaskedViT

pytest.importorskip('mmseg.models')
SUFFIX = '-p16_8xb2-amp-160k_ade20k-512x512.py'
BASE, LARGE = (3, 5, 7, 11), (7, 11, 15, 23)
# lr, layer decay, drop path, positions, relative positions, LayerScale, norm on the maps
ROWS = {
    'upernet-cae_vit-base': (1e-4, 0.65, 0.1, 'sincos_row_first', 'per_block', 0.1, False),
    'upernet-cae_vit-large': (4e-5, 0.95, 0.15, 'sincos_row_first', 'per_block', 1e-5, False),
    'upernet-mae_vit-base': (8e-5, 0.8, 0.1, 'sincos', 'per_block', 0, False),
    'upernet-mae_vit-large': (4e-5, 0.95, 0.15, 'sincos', 'per_block', 0, False),
    'upernet-mae-mmseg_vit-base': (1e-4, 0.65, 0.1, 'learned', 'per_block', 1, False),
    'upernet-robust-mae_vit-base': (8e-5, 0.8, 0.1, 'sincos', 'per_block', 0, False),
    'upernet-robust-mae_vit-large': (4e-5, 0.95, 0.15, 'sincos', 'per_block', 0, False),
    'upernet-beit_vit-base': (7e-4, 0.65, 0.1, 'none', 'per_block', 0.1, False),
    'upernet-beit-ft_vit-base': (3e-5, 0.9, 0.1, 'none', 'per_block', 0.1, False),
    'upernet-beit_vit-large': (4e-5, 0.95, 0.15, 'none', 'per_block', 1e-6, False),
    'upernet-beit-ft_vit-large': (2e-5, 0.95, 0.2, 'none', 'per_block', 1e-6, False),
    'upernet-ibot_vit-base': (8e-5, 0.65, 0.1, 'learned', None, 0, True),
    'upernet-ibot_vit-large': (2e-5, 0.95, 0.2, 'learned', None, 0, True),
    'upernet_vit-base': (8e-5, 0.8, 0.1, 'sincos', None, 0, False),
}


def recipe(name):
    return configs.load(configs.CONFIGS / 'segmentation' / f'{name}{SUFFIX}')


def test_every_recipe_has_its_row():
    found = {path.name for path in (configs.CONFIGS / 'segmentation').glob('*.py')}
    assert found == {f'{name}{SUFFIX}' for name in ROWS}


@pytest.mark.parametrize('name', ROWS)
def test_the_numbers_of_a_recipe(name):
    """Written from methods of the papers and their code, not from the configs."""
    cfg, large = recipe(name), name.endswith('large')
    lr, decay, drop_path, positions, relative, scale, norm = ROWS[name]
    optimizer, backbone = cfg.optim_wrapper.optimizer, cfg.model.backbone
    assert (optimizer.lr, cfg.optim_wrapper.paramwise_cfg.layer_decay_rate) == (lr, decay)
    assert (optimizer.type, optimizer.weight_decay, optimizer.betas) == (
        'AdamW',
        0.05,
        (0.9, 0.999),
    )
    assert backbone.drop_path_rate == drop_path
    assert backbone.get('pos_embed', 'sincos') == positions and 'pos_resize' not in backbone
    assert backbone.get('rel_pos') == relative
    assert backbone.get('layer_scale_init_value', 0) == scale
    assert tuple(backbone.out_indices) == (LARGE if large else BASE)
    assert (backbone.final_norm, backbone.get('tap_norm', False)) == (norm, norm)
    width = 1024 if large else 768
    head, auxiliary = cfg.model.decode_head, cfg.model.auxiliary_head
    assert (head.channels, head.in_channels, head.num_classes) == (width, [width] * 4, 150)
    assert (auxiliary.in_channels, auxiliary.in_index) == (width, 2)
    assert auxiliary.loss_decode.loss_weight == 0.4
    assert cfg.model.test_cfg == dict(mode='slide', crop_size=(512, 512), stride=(341, 341))
    warm_up, decline = cfg.param_scheduler
    assert (warm_up.start_factor, warm_up.end, decline.begin, decline.power) == (
        1e-6,
        1500,
        1500,
        1,
    )
    assert cfg.train_cfg.max_iters == 160000 and cfg.auto_scale_lr.base_batch_size == 16


@pytest.fixture(scope='module', params=['upernet-cae_vit-base', 'upernet-ibot_vit-base'])
def model(request, tmp_path_factory):
    """A tiny copy for crops of 64 px, with relative positions that matter."""
    cfg = ConfigDict(tiny.shrink(recipe(request.param)))
    model = data.build_tiny(cfg, tmp_path_factory.mktemp('scratch')).eval()
    for name, parameter in model.backbone.named_parameters():
        if 'relative' in name:
            torch.nn.init.normal_(parameter)
    return model


def predict(model, images, mode):
    size = tuple(images.shape[-2:])
    model.test_cfg = ConfigDict(model.test_cfg, mode=mode)
    meta = dict(ori_shape=size, img_shape=size, pad_shape=size)
    with torch.no_grad(), DefaultScope.overwrite_default_scope('mmseg'):
        return model.inference(images, [meta])


@pytest.mark.parametrize('size', [(192, 320), (512, 683)])
def test_images_of_any_shape(model, size):
    images, grid = torch.randn(1, 3, *size), [-(-side // 16) for side in size]
    with torch.no_grad():
        maps = model.backbone(images)
        levels = model.neck(maps)
    assert [tuple(x.shape) for x in maps] == [(1, tiny.WIDTH, *grid)] * 4
    assert [list(x.shape[-2:]) for x in levels[:3]] == [[n * g for g in grid] for n in (4, 2, 1)]
    assert list(levels[3].shape[-2:]) == [math.ceil(side / 2) for side in grid]
    for mode in ('whole', 'slide') if size == (192, 320) else ('whole',):
        scores = predict(model, images, mode)
        assert scores.shape == (1, tiny.CLASSES, *size) and scores.isfinite().all()


def test_windows_are_averaged(model):
    """mmseg's sliding window with the recipe's numbers, against windows taken one by one."""
    images = torch.randn(1, 3, 80, 112)
    side, stride = model.test_cfg.crop_size[0], model.test_cfg.stride[0]
    assert (side, stride) == (64, 48)
    total, count = 0, torch.zeros(80, 112)
    for top in (0, 16):
        for left in (0, 48):
            place = (..., slice(top, top + side), slice(left, left + side))
            padded = torch.zeros(1, tiny.CLASSES, 80, 112)
            padded[place] = predict(model, images[place], 'whole')
            total, count[place] = total + padded, count[place] + 1
    torch.testing.assert_close(predict(model, images, 'slide'), total / count)


def bicubic(old, new):
    """(new, old) matrix: cubic convolution with a = -0.75, half-pixel centres, borders repeated."""
    matrix, a = torch.zeros(new, old, dtype=torch.float64), -0.75
    for i in range(new):
        x = (i + 0.5) * old / new - 0.5
        for k in range(math.floor(x) - 1, math.floor(x) + 3):
            d = abs(x - k)
            near = ((a + 2) * d - (a + 3)) * d * d + 1
            far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
            matrix[i, min(max(k, 0), old - 1)] += near if d <= 1 else far
    return matrix


@pytest.mark.parametrize('grid', [(12, 20), (32, 43)])
def test_positions_equal_a_recomputation(model, grid):
    backbone = model.backbone
    cells = backbone.pos_embed.detach()[0, 1:].double().reshape(4, 4, -1)
    rows, columns = bicubic(4, grid[0]), bicubic(4, grid[1])
    expected = torch.einsum('ih,jw,hwd->ijd', rows, columns, cells)
    found = backbone.position(grid).detach()[0, 1:].reshape(*grid, -1)
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=0)
    assert backbone.pos_embed.requires_grad == (backbone.pos_type == 'learned')


def test_fixed_positions_recomputed_for_a_shape():
    """CAE's convention: the row in the first half, sine before cosine."""
    arch = dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=16)
    backbone = MaskedViT(arch, img_size=64, pos_embed='sincos_row_first', pos_resize='recompute')
    table = backbone.position((12, 20))[0, 1:].reshape(12, 20, 16)
    for row, column in ((0, 0), (3, 7), (11, 19)):
        waves = [10000 ** -(i / 4) for i in range(4)]
        expected = [f(p * w) for p in (row, column) for f in (math.sin, math.cos) for w in waves]
        torch.testing.assert_close(table[row, column], torch.tensor(expected), atol=1e-5, rtol=0)


def test_the_norm_on_every_map():
    arch = dict(embed_dims=16, num_layers=3, num_heads=2, feedforward_channels=16)
    common = dict(img_size=32, out_indices=(0, 2), out_type='featmap')
    normed = MaskedViT(arch, **common, tap_norm=True)
    plain = MaskedViT(arch, **common, final_norm=False)
    plain.load_state_dict(normed.state_dict(), strict=False)
    torch.nn.init.normal_(normed.ln1.weight)
    images = torch.randn(2, 3, 32, 48)
    for ours, raw in zip(normed(images), plain(images)):
        expected = normed.ln1(raw.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        torch.testing.assert_close(ours, expected)
    with pytest.raises(ValueError, match='tap_norm=True needs final_norm=True'):
        MaskedViT(arch, **common, tap_norm=True, final_norm=False)


CONFIG = """
_base_ = [{recipe!r}]
train_pipeline = _base_.train_pipeline
train_pipeline[2] = dict(
    type='RandomResize', scale=(192, 128), ratio_range=(1.0, 1.5), keep_ratio=True)
train_pipeline[3] = dict(type='RandomCrop', crop_size=(128, 128))
test_pipeline = _base_.test_pipeline
test_pipeline[1] = dict(type='Resize', scale=(192, 128), keep_ratio=True)
tta_pipeline = _base_.tta_pipeline
tta_pipeline[1]['transforms'][0] = [test_pipeline[1], dict(type='Resize', scale_factor=1.5)]
quick = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(dataset=dict(data_root={data!r}, pipeline=train_pipeline), **quick)
val_dataloader = dict(dataset=dict(data_root={data!r}, pipeline=test_pipeline), **quick)
test_dataloader = val_dataloader
model = dict(
    data_preprocessor=dict(size=(128, 128)),
    backbone=dict(
        arch=dict(_delete_=True, embed_dims=32, num_layers=12, num_heads=2,
                  feedforward_channels=64),
        img_size=128, pretrained={file!r}),
    neck=dict(in_channels=32),
    decode_head=dict(in_channels=[32] * 4, channels=16),
    auxiliary_head=dict(in_channels=32, channels=16),
    test_cfg=dict(crop_size=(128, 128), stride=(85, 85)))
train_cfg = dict(max_iters=2, val_interval=2)
param_scheduler = [dict(type='PolyLR', power=1.0, by_epoch=False)]
"""
RUN = """
import sys
sys.modules['mmcv._ext'] = None  # what an import of operators that were not compiled meets
from mmmim.engine.launch import test, train
config, run = sys.argv[1:]
batch = ['--cfg-options', 'auto_scale_lr.base_batch_size=2']
sys.exit(
    train([config, '--work-dir', run, '--keep-batch', *batch])
    or test([config, run + '/iter_2.pth', '--work-dir', run + '/whole',
             '--cfg-options', 'model.test_cfg.mode=whole'])
    or test([config, run + '/iter_2.pth', '--work-dir', run + '/views', '--tta'])
    or 'mmcv.ops' in sys.modules
)
"""


def test_without_compiled_operators(tmp_path):
    """A recipe trains, and is tested in windows, whole, and on several scales, mirrored too."""
    (path,) = (configs.CONFIGS / 'segmentation').glob('upernet-mae_vit-base*.py')
    names = dict(
        recipe=str(path),
        data=str(make_ade20k(tmp_path / 'data', count=2)),
        file=str(save(tmp_path / 'encoder.pth', timm_names(grid=(14, 14), depth=12, patch=16))),
    )
    (tmp_path / 'config.py').write_text(CONFIG.format(**names))
    command = [sys.executable, '-W', 'ignore', '-c', RUN, tmp_path / 'config.py', tmp_path / 'run']
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=tmp_path, timeout=900
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert output.count('mIoU: ') == 3
    assert 'loaded 160/160, resized: pos_embed' in output  # 148, query and value biases apart
