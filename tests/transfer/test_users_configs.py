"""A user's own Mask R-CNN and UperNet become ours by `backbone` and `neck` alone, as the pages
docs/detection.md and docs/segmentation.md write them down; here with a narrow, shallow encoder."""

import importlib
import re
from pathlib import Path

import pytest
import torch
from checkpoints import save, timm_names
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import PixelData

from mmmim.models.detection.requirements import detection_problem

DOCS = Path(__file__).parents[2] / 'docs'
ARCH = dict(embed_dims=32, num_layers=4, num_heads=4, feedforward_channels=64)
SMALL = dict(arch=ARCH, img_size=64, out_indices=(0, 1, 2, 3))


def installed(framework, path):
    """A config as the host ships it."""
    home = Path(importlib.import_module(framework).__file__).parent
    return Config.fromfile(home / '.mim/configs' / path)


def documented(page):
    """What the page puts in place of a backbone and a neck."""
    text = (DOCS / page).read_text(encoding='utf-8')
    if '```diff' in text:
        diff = text.split('```diff\n')[1].split('```')[0]
        lines = [line[1:] for line in diff.splitlines() if line.startswith('+')]
        source = 'model = dict(\n' + '\n'.join(lines) + ')'
    else:
        found = re.search(r"\n    _base_ = 'mmseg::.*?\n    \)\n", text, re.S)
        source = '\n'.join(line[4:] for line in found[0].splitlines())
    content = {}
    exec(source, content)
    return content['model']


def adapted(cfg, page, tmp_path):
    """The user's config with the page's change, and a file of the narrow encoder."""
    model = documented(page)
    assert set(model) - {'pretrained'} == {'backbone', 'neck'}
    file = save(tmp_path / 'encoder.pth', timm_names(grid=(4, 4), depth=4, patch=16))
    if model.get('pretrained', '') is None:
        cfg.model.pretrained = None  # ResNet's, from another place
    model['backbone'].pop('_delete_', None)
    cfg.model.backbone = model['backbone'] | SMALL | dict(pretrained=str(file))
    cfg.model.neck = narrow(model['neck'])
    return cfg


def narrow(neck):
    """Necks for maps 32 wide."""
    if isinstance(neck, list):
        return [narrow(item) for item in neck]
    width = [32] * 4 if isinstance(neck['in_channels'], list) else 32
    return dict(neck, in_channels=width)


def build(cfg):
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = revert_sync_batchnorm(MODELS.build(cfg.model))
        model.init_weights()
    expected = timm_names(grid=(4, 4), depth=4, patch=16)['blocks.1.mlp.fc2.weight']
    assert model.backbone.layers[1].ffn.layers[1].weight.equal(expected)
    return model


def train(model, batch):
    model.train()
    with DefaultScope.overwrite_default_scope('mmengine'):
        data = model.data_preprocessor(batch, training=True)
        loss, _ = model.parse_losses(model(**data, mode='loss'))
    loss.backward()
    assert loss.isfinite()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None or not parameter.requires_grad, name


@pytest.mark.skipif(detection_problem() is not None, reason=str(detection_problem()))
def test_mask_rcnn(tmp_path):
    from mmdet.testing import demo_mm_inputs

    cfg = installed('mmdet', 'mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py')
    model = build(adapted(cfg, 'detection.md', tmp_path))
    train(model, demo_mm_inputs(2, [[3, 64, 96], [3, 80, 64]], with_mask=True, num_classes=80))


def test_upernet(tmp_path):
    pytest.importorskip('mmseg.models')
    from mmseg.structures import SegDataSample

    cfg = installed('mmseg', 'upernet/upernet_r50_4xb4-80k_ade20k-512x512.py')
    cfg.model.data_preprocessor.size = (64, 96)
    model = build(adapted(cfg, 'segmentation.md', tmp_path))
    meta = dict(img_shape=(64, 96), ori_shape=(64, 96), pad_shape=(64, 96))
    labels = PixelData(data=torch.randint(0, 150, (1, 64, 96)))
    samples = [SegDataSample(metainfo=meta, gt_sem_seg=labels) for _ in range(2)]
    images = [torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8) for _ in range(2)]
    train(model, dict(inputs=images, data_samples=samples))
