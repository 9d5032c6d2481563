"""UperNet of the small ViT on the labelled scenes; without --pretrained, training from scratch.

Command: python tools/train.py
    configs/demo/upernet_vit-demo-p8_1xb16-amp-coslr-400it_scenes-64x64.py
    --pretrained work_dirs/MY_RUN/encoder.pth
"""

_base_ = [
    '../_base_/models/upernet_vit-demo-p8.py',
    '../_base_/datasets/scenes_semantic_64.py',
    '../_base_/schedules/adamw_coslr_scenes.py',
    '../_base_/default_runtime_iter.py',
]

param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=False, begin=0, end=40),
    dict(type='CosineAnnealingLR', eta_min=0.0, by_epoch=False, begin=40),
]
default_hooks = dict(checkpoint=dict(interval=-1, save_last=True))
train_cfg = dict(_delete_=True, by_epoch=False, max_iters=400, val_begin=1000)
auto_scale_lr = dict(base_batch_size=16)
