"""Linear probe of ViT-S with 6 heads, as that of ViT-B; MoCo v3 has another.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper's number: not in our copy.
"""

_base_ = 'linear_vit-base-p16_32xb512-amp-coslr-90e_in1k.py'

model = dict(backbone=dict(arch='small'), neck=dict(input_features=384), head=dict(in_channels=384))
