"""Mask R-CNN on the 300 labelled scenes."""

_base_ = [
    '../_base_/models/mask-rcnn_vit-demo-p8.py',
    '../_base_/datasets/scenes_instance_64.py',
    '../_base_/schedules/adamw_coslr_finetune.py',
    '../_base_/default_runtime.py',
]
train_cfg = dict(max_epochs=24)
