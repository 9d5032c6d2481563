"""Detection and segmentation: two processes against one that accumulates their micro-batches.

Everything random is off: no flips, no shuffling, no dropout, and samplers that keep all regions.
Batch norm sees the same micro-batch of one image on both sides.
"""

import pytest
import torch
from recipes import losses, run_tool, write_config

from mmmim.datasets.scenes import Settings, make_scenes

SHARED = """
work = dict(
    batch_size=1,
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=False),
    dataset=dict(data_root='{data}/'),
)
optim_wrapper = dict(
    _delete_=True,
    type='mmmim.OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9),
)
auto_scale_lr = dict(base_batch_size=2)
param_scheduler = []
custom_hooks = []
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
"""

DETECTION = (
    """
_base_ = ['{root}/configs/demo/mask-rcnn_vit-demo-p8_deconv-fpn_1xb16-amp-coslr-8e_scenes.py']
keep_all = dict(num=100000, pos_fraction=1.0)
model = dict(
    backbone=dict(drop_path_rate=0.0),
    train_cfg=dict(rpn=dict(sampler=keep_all), rcnn=dict(sampler=keep_all)),
)
pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='PackDetInputs'),
]
train_cfg = dict(_delete_=True, by_epoch=True, max_epochs=1)
default_hooks = dict(logger=dict(interval=1))
"""
    + SHARED
    + """
train_dataloader = dict(**work)
train_dataloader['dataset']['pipeline'] = pipeline
"""
)

SEGMENTATION = (
    """
_base_ = ['{root}/configs/demo/upernet_vit-demo-p8_1xb16-amp-coslr-400it_scenes-64x64.py']
model = dict(
    backbone=dict(drop_path_rate=0.0),
    # a single value per channel, as pooling to 1 gives with one image, has no batch statistics
    decode_head=dict(dropout_ratio=0.0, pool_scales=(2, 4)),
    auxiliary_head=dict(dropout_ratio=0.0),
)
pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_cfg = dict(_delete_=True, by_epoch=True, max_epochs=1)
default_hooks = dict(logger=dict(interval=1, log_metric_by_epoch=True))
"""
    + SHARED
    + """
train_dataloader = dict(**work)
train_dataloader['dataset']['pipeline'] = pipeline
"""
)


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    root = tmp_path_factory.mktemp('scenes')
    counts = dict(unlabeled=2, train=6, tune=2, val=2)
    make_scenes(str(root), Settings(counts=counts), processes=1)
    return root


def last_weights(folder):
    path = (folder / 'last_checkpoint').read_text().strip()
    return torch.load(path, weights_only=False)['state_dict']


@pytest.mark.parametrize('name, text', [('det', DETECTION), ('seg', SEGMENTATION)])
def test_two_processes_equal_one_that_accumulates(tmp_path, scenes, name, text):
    config = write_config(tmp_path, text, f'{name}_two', scenes)
    two = run_tool('dist_train.sh', config, 2, '--work-dir', tmp_path / 'two', cwd='/')
    assert two.returncode == 0, two.stderr[-3000:]
    assert '2 processes x 1 x 1 = 2' in two.stdout + two.stderr
    one = run_tool('train.py', config, '--work-dir', tmp_path / 'one', cwd='/')
    assert one.returncode == 0, one.stderr[-3000:]
    assert '1 process x 1 x 2 = 2' in one.stdout + one.stderr

    parts = losses(tmp_path / 'one')
    assert len(parts) == 6
    means = [(a + b) / 2 for a, b in zip(parts[::2], parts[1::2])]
    assert losses(tmp_path / 'two') == pytest.approx(means, rel=1e-5)
    ours, theirs = last_weights(tmp_path / 'two'), last_weights(tmp_path / 'one')
    for key, value in ours.items():
        if 'running_' not in key and 'num_batches' not in key:  # per process, never exchanged
            assert torch.allclose(value, theirs[key], atol=1e-6), key
