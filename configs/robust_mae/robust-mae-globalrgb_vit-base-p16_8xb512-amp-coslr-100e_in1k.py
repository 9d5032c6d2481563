"""Robust MAE, ViT-B/16, 100 epochs, target: pixels standardised per channel (Table 1, Fig. 2).

Command: bash tools/dist_train.sh
    configs/robust_mae/robust-mae-globalrgb_vit-base-p16_8xb512-amp-coslr-100e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = 'robust-mae-globalrgb-perpatch_vit-base-p16_8xb512-amp-coslr-100e_in1k.py'

model = dict(target=dict(per_patch=False))
