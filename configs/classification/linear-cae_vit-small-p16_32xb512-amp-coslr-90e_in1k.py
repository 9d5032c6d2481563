"""Linear probe of CAE's ViT-S with its 12 heads of 32 (arXiv:2202.03026, table 1).

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper's number, 300 epochs: 51.8.
"""

_base_ = 'linear-cae_vit-base-p16_32xb512-amp-coslr-90e_in1k.py'

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True, embed_dims=384, num_layers=12, num_heads=12, feedforward_channels=1536
        )
    ),
    neck=dict(input_features=384),
    head=dict(in_channels=384),
)
