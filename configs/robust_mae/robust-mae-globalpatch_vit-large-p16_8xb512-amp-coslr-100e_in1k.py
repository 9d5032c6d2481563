"""Robust MAE, ViT-L/16, 100 epochs (Table 1, Fig. 2). Target: pixels standardised per patch
dimension (Eq. 3) and no more.

Statistics first: python tools/misc/target_stats.py data/imagenet/train --patch-size 16 \
    --out data/stats/imagenet_p16.npz

Command: bash tools/dist_train.sh
    configs/robust_mae/robust-mae-globalpatch_vit-large-p16_8xb512-amp-coslr-100e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = 'robust-mae-globalrgb-perpatch_vit-large-p16_8xb512-amp-coslr-100e_in1k.py'

model = dict(target=dict(normalize='patch', stats='data/stats/imagenet_p16.npz', per_patch=False))
