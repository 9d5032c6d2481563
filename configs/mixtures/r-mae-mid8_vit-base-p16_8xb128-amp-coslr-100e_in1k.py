"""R-MAE with mid-level mask tokens (Robust MAE) in both views: 20 % of the cells, after block 8.

ViT-B/16, 100 epochs; the second view hides 25 %, of which one cell must be left to the decoder.

Command: bash tools/dist_train.sh
    configs/mixtures/r-mae-mid8_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
"""

_base_ = '../r_mae/r-mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(backbone=dict(mid_mask_depth=8, mid_mask_ratio=0.2))
