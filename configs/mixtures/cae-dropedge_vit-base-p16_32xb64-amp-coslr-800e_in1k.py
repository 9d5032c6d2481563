"""CAE with drop edge in its decoder (Robust MAE), ViT-B/16, 800 epochs.

Command: bash tools/dist_train.sh
    configs/mixtures/cae-dropedge_vit-base-p16_32xb64-amp-coslr-800e_in1k.py 32
"""

_base_ = '../cae/cae_vit-base-p16_32xb64-amp-coslr-800e_in1k.py'

model = dict(neck=dict(drop_edge=0.3))
