"""Fine-tuning of the small ViT on the labelled scenes; without --pretrained, training from scratch.

Command: python tools/train.py
    configs/demo/finetune_vit-demo-p8_1xb32-amp-coslr-30e_scenes-64px.py
    --pretrained work_dirs/MY_RUN/encoder.pth
"""

_base_ = [
    '../_base_/models/vit-demo-p8_finetune.py',
    '../_base_/datasets/scenes_finetune_64.py',
    '../_base_/schedules/adamw_coslr_scenes.py',
    '../_base_/default_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=-1, save_last=True))
train_cfg = dict(max_epochs=30)
