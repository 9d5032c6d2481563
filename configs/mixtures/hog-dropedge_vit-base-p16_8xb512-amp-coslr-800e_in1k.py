"""Histograms of gradients (MaskFeat) from 25 % of the patches (MAE), with drop edge (Robust MAE).

ViT-B/16, 800 epochs.

Command: bash tools/dist_train.sh
    configs/mixtures/hog-dropedge_vit-base-p16_8xb512-amp-coslr-800e_in1k.py 8
"""

_base_ = '../robust_mae/robust-mae_vit-base-p16_8xb512-amp-coslr-800e_in1k.py'

target = dict(_delete_=True, type='mmmim.HOGTarget', patch_size=16, pool=8)
model = dict(neck=dict(out_dims=108), target=target)
