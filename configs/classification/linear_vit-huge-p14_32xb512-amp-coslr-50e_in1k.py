"""Linear probe of ViT-H/14, as that of ViT-B in 50 epochs (facebookresearch/mae).

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper's number: not in our copy.
"""

_base_ = 'linear_vit-base-p16_32xb512-amp-coslr-90e_in1k.py'

model = dict(
    backbone=dict(arch='huge', patch_size=14, frozen_stages=32),
    neck=dict(input_features=1280),
    head=dict(in_channels=1280),
)
train_cfg = dict(max_epochs=50)
