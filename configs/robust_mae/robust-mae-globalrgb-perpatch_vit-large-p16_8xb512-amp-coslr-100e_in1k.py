"""Robust MAE, ViT-L/16, 100 epochs (Table 1, Fig. 2). Target: pixels standardised per channel,
then per patch.

Command: bash tools/dist_train.sh
    configs/robust_mae/robust-mae-globalrgb-perpatch_vit-large-p16_8xb512-amp-coslr-100e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = 'robust-mae_vit-large-p16_8xb512-amp-coslr-800e_in1k.py'

train_cfg = dict(max_epochs=100)
