"""Attentive probe of the small ViT on the labelled scenes: CAE's, a batch that 800 images fill.

lr 0.1: of 0.1 and 0.4 the better on the tune split.

Command: python tools/train.py
    configs/demo/attentive_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
    --pretrained work_dirs/MY_RUN/encoder.pth
"""

_base_ = [
    '../_base_/models/vit-base_attentive.py',
    '../_base_/datasets/scenes_finetune_64.py',
    '../_base_/schedules/sgd_coslr_attentive.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True, embed_dims=128, num_layers=4, num_heads=4, feedforward_channels=512
        ),
        img_size=64,
        patch_size=8,
        frozen_stages=4,
    ),
    head=dict(num_classes=8, in_channels=128, num_heads=4),
)
train_dataloader = dict(batch_size=128)
optim_wrapper = dict(optimizer=dict(lr=0.1))
auto_scale_lr = dict(base_batch_size=128)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=3, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=3, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=-1, save_last=True))
train_cfg = dict(max_epochs=30, val_begin=1000)
custom_hooks = [dict(type='SyncBuffersHook'), dict(type='mmmim.FinalEvaluationHook')]
