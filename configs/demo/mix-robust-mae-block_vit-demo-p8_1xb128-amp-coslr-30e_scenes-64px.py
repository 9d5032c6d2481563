"""Robust MAE, global patch target, with blocks hidden (BEiT, CAE) instead of single patches, 60 %.

Command: python tools/train.py
    configs/demo/mix-robust-mae-block_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'robust-mae-globalpatch-perpatch_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

mask = dict(type='mmmim.BlockMasking', patch_size=8, mask_ratio=0.6, min_patches=5)
model = dict(corruption=dict(_delete_=True, **mask))
