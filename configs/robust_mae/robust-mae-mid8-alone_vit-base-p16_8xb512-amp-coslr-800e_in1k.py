"""MAE, ViT-B/16, with mid-level mask tokens and nothing else of Robust MAE: 25 % after block 8.

Table 5 does not say whether drop edge was on; this row is the one without.

Command: bash tools/dist_train.sh
    configs/robust_mae/robust-mae-mid8-alone_vit-base-p16_8xb512-amp-coslr-800e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = '../mae/mae_vit-base-p16_8xb512-amp-coslr-800e_in1k.py'

model = dict(backbone=dict(mid_mask_depth=8, mid_mask_ratio=0.25))
