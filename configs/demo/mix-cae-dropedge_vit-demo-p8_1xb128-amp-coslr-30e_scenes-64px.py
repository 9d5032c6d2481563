"""CAE with drop edge in its decoder (Robust MAE), pixels as targets, on the embedded scenes.

Command: python tools/train.py
    configs/demo/mix-cae-dropedge_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'cae-rgb_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(neck=dict(drop_edge=0.3))
