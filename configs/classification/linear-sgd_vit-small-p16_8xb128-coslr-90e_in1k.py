"""Linear probe of MoCo v3's ViT-S, 12 heads of 32, as its ViT-B.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number: 73.2 (its README).
"""

_base_ = 'linear-sgd_vit-base-p16_8xb128-coslr-90e_in1k.py'

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True, embed_dims=384, num_layers=12, num_heads=12, feedforward_channels=1536
        )
    ),
    head=dict(in_channels=384),
)
