"""Zoom-in and 75 % masking (Beyond Masking) with drop edge (Robust MAE).

Command: python tools/train.py
    configs/demo/mix-zoomin-dropedge_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'beyond-masking-zoomin-mask_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(neck=dict(drop_edge=0.3))
