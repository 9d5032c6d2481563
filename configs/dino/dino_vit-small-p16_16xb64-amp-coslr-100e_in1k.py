"""DINO, ViT-S/16, 100 epochs, prototypes of free length as advised for it (arXiv:2104.14294).

Command: bash tools/dist_train.sh configs/dino/dino_vit-small-p16_16xb64-amp-coslr-100e_in1k.py 16
The paper's number: not in our copy.
"""

_base_ = 'dino_vit-base-p16_16xb64-amp-coslr-400e_in1k.py'

model = dict(backbone=dict(arch='small'), neck=dict(in_dims=384, unit_length=False))
train_cfg = dict(max_epochs=100)
