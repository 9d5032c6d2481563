"""Robust MAE on the embedded scenes, target: raw pixels in [0, 1].

Command: python tools/train.py
    configs/demo/robust-mae-raw_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'robust-mae-pixel_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(target=dict(normalize='none'))
