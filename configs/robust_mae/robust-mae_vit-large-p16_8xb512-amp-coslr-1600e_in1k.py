"""Robust MAE, ViT-L/16, 1600 epochs on ImageNet-1K.

Command: bash tools/dist_train.sh
    configs/robust_mae/robust-mae_vit-large-p16_8xb512-amp-coslr-1600e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = 'robust-mae_vit-large-p16_8xb512-amp-coslr-800e_in1k.py'

train_cfg = dict(max_epochs=1600)
