"""Robust MAE on the embedded scenes, mask tokens for 25 % of the cells after block 2 of 4.

Command: python tools/train.py
    configs/demo/robust-mae-mid2_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'robust-mae-globalrgb-perpatch_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(backbone=dict(mid_mask_depth=2, mid_mask_ratio=0.25))
