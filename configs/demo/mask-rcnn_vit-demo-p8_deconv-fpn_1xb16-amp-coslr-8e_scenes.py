"""Mask R-CNN of the small ViT on the labelled scenes; without --pretrained, training from scratch.

Command: python tools/train.py
    configs/demo/mask-rcnn_vit-demo-p8_deconv-fpn_1xb16-amp-coslr-8e_scenes.py
    --pretrained work_dirs/MY_RUN/encoder.pth
"""

_base_ = [
    '../_base_/models/mask-rcnn_vit-demo-p8.py',
    '../_base_/datasets/scenes_instance_64.py',
    '../_base_/schedules/adamw_coslr_scenes.py',
    '../_base_/default_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=-1, save_last=True))
train_cfg = dict(max_epochs=8)
auto_scale_lr = dict(base_batch_size=16)
