"""Linear probe of ViT-L, as that of ViT-B in 50 epochs (facebookresearch/mae).

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper's number: not in our copy.
"""

_base_ = 'linear_vit-base-p16_32xb512-amp-coslr-90e_in1k.py'

model = dict(
    backbone=dict(arch='large', frozen_stages=24),
    neck=dict(input_features=1024),
    head=dict(in_channels=1024),
)
train_cfg = dict(max_epochs=50)
