"""Zoom-in and 75 % masking (Beyond Masking) with drop edge (Robust MAE), ViT-B/16, 300 epochs.

Command: bash tools/dist_train.sh
    configs/mixtures/zoomin-dropedge_vit-base-p16_16xb128-amp-coslr-300e_in1k.py 16
"""

_base_ = '../beyond_masking/beyond-masking-zoomin-mask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

model = dict(neck=dict(drop_edge=0.3))
