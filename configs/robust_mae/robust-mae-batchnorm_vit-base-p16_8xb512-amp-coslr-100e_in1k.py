"""Robust MAE, ViT-B/16, 100 epochs, target: pixels standardised by the batch.

Section 2.2 names batch normalisation of the target without a recipe: no affine, statistics of the
whole batch, over all processes.

Command: bash tools/dist_train.sh
    configs/robust_mae/robust-mae-batchnorm_vit-base-p16_8xb512-amp-coslr-100e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = 'robust-mae-globalrgb-perpatch_vit-base-p16_8xb512-amp-coslr-100e_in1k.py'

model = dict(target=dict(normalize='batch', per_patch=False, sync=True))
