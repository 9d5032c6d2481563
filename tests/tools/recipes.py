"""Small configs on random images, and ways to run the tools on them."""

import json
import os
import subprocess
import sys
from glob import glob
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / 'tools'

PRETRAIN = """
_base_ = [
    '{root}/configs/_base_/models/mae_vit-base-p16.py',
    '{root}/configs/_base_/datasets/imagenet_pretrain_224.py',
    '{root}/configs/_base_/schedules/adamw_coslr_pretrain.py',
    '{root}/configs/_base_/default_runtime.py',
]
default_scope = 'mmpretrain'
arch = dict(_delete_=True, embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64)
decoder = dict(in_dims=32, out_dims=192, embed_dims=16, num_layers=1, num_heads=2)
model = dict(
    backbone=dict(arch=arch, img_size=32, patch_size=8),
    corruption=dict(patch_size=8),
    neck=dict(img_size=32, patch_size=8, **decoder),
    target=dict(patch_size=8),
)
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    prefetch_factor=None,
    persistent_workers=False,
    dataset=dict(
        data_root='{data}', pipeline=[dict(type='mmmim.RandomResizedCrop', size=32)]
    ),
)
auto_scale_lr = dict(base_batch_size=16)
train_cfg = dict(max_epochs=2)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, begin=0, end=1, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=1, convert_to_iter_based=True),
]
default_hooks = dict(logger=dict(interval=1))
"""

CLASSIFY = """
_base_ = ['{root}/configs/_base_/default_runtime.py']
default_scope = 'mmpretrain'
arch = dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64)
model = dict(
    type='ImageClassifier',
    data_preprocessor=dict(num_classes=2, mean=[127.0] * 3, std=[60.0] * 3),
    backbone=dict(
        type='mmmim.MaskedViT', arch=arch, img_size=32, patch_size=8, out_type='avg_featmap'
    ),
    head=dict(type='LinearClsHead', num_classes=2, in_channels=32, topk=(1,)),
)
pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(32, 32))]
pipeline = pipeline + [dict(type='PackInputs')]
data = dict(type='CustomDataset', data_root='{data}', pipeline=pipeline)
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=data,
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=data,
)
test_dataloader = val_dataloader
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = val_evaluator
optim_wrapper = dict(
    type='mmmim.OptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=3e-3, weight_decay=0.05, fused=True),
    paramwise_cfg=dict(layer_decay_rate=0.75),
)
train_cfg = dict(by_epoch=True, max_epochs=4, val_interval=4)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=8, enable=False)
default_hooks = dict(logger=dict(interval=4))
"""


def make_images(folder, count=32):
    """Two classes that differ in brightness, 40 x 48."""
    rng = np.random.default_rng(0)
    for index in range(count):
        place = Path(folder) / ('dark' if index % 2 else 'light')
        place.mkdir(parents=True, exist_ok=True)
        low = 0 if index % 2 else 128
        pixels = rng.integers(low, low + 128, (40, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f'{index:02}.png')
    return folder


def write_config(folder, text, name, data=None, extra=''):
    path = Path(folder) / f'{name}.py'
    path.write_text(text.format(root=ROOT, data=data) + extra)
    return str(path)


def run_tool(script, *words, cwd, timeout=150, **env):
    """Run a tool in its own process, away from the repository."""
    runner = [sys.executable] if script.endswith('.py') else ['bash']
    return subprocess.run(
        [*runner, str(TOOLS / script), *map(str, words)],
        cwd=cwd,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable, **env},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def records(folder):
    """Scalars of all log lines of the one run in a work directory, in order."""
    (path,) = glob(f'{folder}/*/vis_data/scalars.json')
    with open(path) as file:
        return [json.loads(line) for line in file]


def losses(folder):
    return [record['loss'] for record in records(folder) if 'loss' in record]
