"""Our configs under the train.py and test.py that mmpretrain, mmdet and mmseg install.

From an unrelated folder, without custom_imports; only sizes, lengths and paths are changed.
"""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkpoints import save, timm_names
from tiny_data import make_ade20k, make_coco, make_imagenet

from mmmim.models.detection.requirements import detection_problem

ROOT = Path(__file__).parents[2]
ARCH = 'dict(_delete_=True, embed_dims=32, num_layers=12, num_heads=2, feedforward_channels=64)'
LOADERS = """
paths = dict(data_root=DATA)
quick = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(batch_size=2, dataset=paths, **quick)
val_dataloader = dict(batch_size=1, dataset=paths, **quick)
test_dataloader = val_dataloader
"""
CLASSIFICATION = """
train_dataloader['dataset'] = dict(data_root=DATA, ann_file='train.txt')
val_dataloader['dataset'] = dict(data_root=DATA, ann_file='val.txt')
model = dict(backbone=dict(arch=ARCH, pretrained=FILE), head=dict(in_channels=32))
param_scheduler = [dict(type='CosineAnnealingLR', eta_min_ratio=5e-4, convert_to_iter_based=True)]
train_cfg = dict(max_epochs=2)
"""
DETECTION = """
pipeline = _base_.train_pipeline
pipeline[3] = dict(type='Resize', scale=(96, 64), keep_ratio=True)
paths['pipeline'] = pipeline
test_pipeline = _base_.test_pipeline
test_pipeline[1] = dict(type='Resize', scale=(96, 64), keep_ratio=True)
val_dataloader['dataset'] = dict(data_root=DATA, pipeline=test_pipeline)
val_evaluator = dict(ann_file=DATA + '/annotations/instances_val2017.json')
test_evaluator = val_evaluator
model = dict(
    backbone=dict(arch=ARCH, pretrained=FILE),
    neck=[
        dict(type='mmmim.DeconvPyramid', in_channels=32, norm_cfg=dict(type='SyncBN')),
        dict(type='FPN', in_channels=[32] * 4, out_channels=16, num_outs=5),
    ],
    rpn_head=dict(in_channels=16, feat_channels=16),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=16),
        bbox_head=dict(in_channels=16, conv_out_channels=16, fc_out_channels=32),
        mask_roi_extractor=dict(out_channels=16),
        mask_head=dict(in_channels=16, conv_out_channels=16)),
    test_cfg=dict(rcnn=dict(score_thr=0.0)))
train_cfg = dict(max_epochs=2)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[1])]
"""
SEGMENTATION = """
model = dict(
    backbone=dict(arch=ARCH, pretrained=FILE),
    neck=dict(in_channels=32),
    decode_head=dict(in_channels=[32] * 4, channels=16),
    auxiliary_head=dict(in_channels=32, channels=16))
train_cfg = dict(max_iters=5, val_interval=5)
param_scheduler = [dict(type='PolyLR', power=1.0, by_epoch=False)]
"""
RECIPES = {
    'mmpretrain': (
        'classification',
        'finetune_vit-base-p16_8xb128-amp-coslr-100e_in1k',
        make_imagenet,
        CLASSIFICATION,
    ),
    'mmdet': ('detection', 'mask-rcnn_vit-base-p16_deconv-fpn_8xb4', make_coco, DETECTION),
    'mmseg': ('segmentation', 'upernet_vit-base', make_ade20k, SEGMENTATION),
}
RESULTS = {
    'mmpretrain': r'accuracy/top1: (\d+\.\d+)',
    'mmdet': r'coco/segm_mAP: (-?\d+\.\d+)',
    'mmseg': r'mIoU: (\d+\.\d+)',
}


def small_config(tmp_path, framework):
    """A user's config that inherits ours by its path."""
    folder, name, make, text = RECIPES[framework]
    (base,) = (ROOT / 'configs' / folder).glob(f'{name}*.py')
    data = make(tmp_path / 'data')
    encoder = save(tmp_path / 'encoder.pth', timm_names(grid=(14, 14), depth=12, patch=16))
    text = f'_base_ = [{str(base)!r}]\n{LOADERS}{text}'
    text = text.replace('ARCH', ARCH).replace('FILE', repr(str(encoder)))
    path = tmp_path / 'config.py'
    path.write_text(text.replace('DATA', repr(str(data))))
    return path


def tool(framework, script, *arguments, cwd):
    home = Path(importlib.import_module(framework).__file__).parent
    command = [sys.executable, '-W', 'ignore', home / '.mim/tools' / script, *arguments]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd=cwd, timeout=600
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    return output


@pytest.mark.parametrize('framework', RECIPES)
def test_the_hosts_own_tools_run_our_configs(tmp_path, framework):
    if framework == 'mmdet' and detection_problem():
        pytest.skip(detection_problem())
    config = small_config(tmp_path, framework)
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    output = tool(framework, 'train.py', config, '--work-dir', tmp_path / 'run', cwd=elsewhere)
    assert 'loaded 148/148, resized: ' in output  # all but the norm behind the last block
    trained = re.findall(RESULTS[framework], output)
    assert trained, output[-2000:]
    (checkpoint,) = {
        *(tmp_path / 'run').glob('epoch_2.pth'),
        *(tmp_path / 'run').glob('iter_5.pth'),
    }
    output = tool(
        framework, 'test.py', config, checkpoint, '--work-dir', tmp_path / 'test', cwd=elsewhere
    )
    assert re.findall(RESULTS[framework], output)[-1] == trained[-1]
