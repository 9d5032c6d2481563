"""Linear probe of CAE's ViT-L (arXiv:2202.03026, table 1).

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper's number, 1600 epochs: 78.1 with DALL-E's tokens, 77.9 with its own d-VAE.
"""

_base_ = 'linear-cae_vit-base-p16_32xb512-amp-coslr-90e_in1k.py'

model = dict(
    backbone=dict(arch='large', frozen_stages=24),
    neck=dict(input_features=1024),
    head=dict(in_channels=1024),
)
