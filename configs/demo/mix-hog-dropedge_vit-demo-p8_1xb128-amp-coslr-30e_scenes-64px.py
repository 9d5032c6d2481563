"""Histograms of gradients (MaskFeat) from 25 % of the patches (MAE), with drop edge (Robust MAE).

Command: python tools/train.py
    configs/demo/mix-hog-dropedge_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'robust-mae-pixel_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

target = dict(_delete_=True, type='mmmim.HOGTarget', patch_size=8, pool=4)
model = dict(neck=dict(out_dims=108), target=target)
