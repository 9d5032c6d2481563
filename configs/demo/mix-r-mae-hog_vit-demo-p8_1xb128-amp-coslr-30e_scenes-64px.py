"""R-MAE whose two views meet in histograms of gradients (MaskFeat), with drop edge (Robust MAE).

Command: python tools/train.py
    configs/demo/mix-r-mae-hog_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'r-mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

target = dict(_delete_=True, type='mmmim.HOGTarget', patch_size=8, pool=4)
model = dict(psnr_region=None, neck=dict(drop_edge=0.3, out_dims=108), target=target)
