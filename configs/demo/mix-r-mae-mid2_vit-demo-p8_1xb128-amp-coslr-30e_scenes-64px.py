"""R-MAE with mid-level mask tokens (Robust MAE) in both views: 20 % of the cells,
after block 2.

Command: python tools/train.py
    configs/demo/mix-r-mae-mid2_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'r-mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(backbone=dict(mid_mask_depth=2, mid_mask_ratio=0.2))
