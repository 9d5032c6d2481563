"""Robust MAE on the embedded scenes, target: raw pixels, normalised per patch.

Command: python tools/train.py
    configs/demo/robust-mae-raw-perpatch_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'robust-mae-pixel_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(target=dict(normalize='none', per_patch=True))
