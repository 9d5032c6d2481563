"""Robust MAE, ViT-B/16, with mid-level mask tokens: 25 % of the cells after block 8 (section 3.4).

Command: bash tools/dist_train.sh
    configs/robust_mae/robust-mae-mid8_vit-base-p16_8xb512-amp-coslr-800e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = 'robust-mae_vit-base-p16_8xb512-amp-coslr-800e_in1k.py'

model = dict(backbone=dict(mid_mask_depth=8, mid_mask_ratio=0.25))
