"""Attentive probe of MoCo v3's ViT-S, 12 heads of 32, as CAE's table 1 compares it.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number in arXiv:2202.03026, table 1: 73.8.
"""

_base_ = 'attentive_vit-base-p16_32xb256-amp-coslr-90e_in1k.py'

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True, embed_dims=384, num_layers=12, num_heads=12, feedforward_channels=1536
        )
    ),
    head=dict(in_channels=384),
)
