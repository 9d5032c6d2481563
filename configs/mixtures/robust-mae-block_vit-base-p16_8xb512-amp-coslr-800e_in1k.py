"""Robust MAE, global patch target, with blocks hidden (BEiT, CAE) instead of single patches, 60 %.

Command: bash tools/dist_train.sh
    configs/mixtures/robust-mae-block_vit-base-p16_8xb512-amp-coslr-800e_in1k.py 8
"""

_base_ = '../robust_mae/robust-mae-globalpatch-perpatch_vit-base-p16_8xb512-amp-coslr-800e_in1k.py'

mask = dict(type='mmmim.BlockMasking', patch_size=16, mask_ratio=0.6, min_patches=16)
model = dict(corruption=dict(_delete_=True, **mask))
