"""MoCo v3 at the size of the embedded data, with heads to match."""

_base_ = 'mocov3_vit-base-p16.py'

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True,
            embed_dims=128,
            num_layers=4,
            num_heads=4,
            feedforward_channels=512,
        ),
        img_size=64,
        patch_size=8,
    ),
    neck=dict(in_dims=128, hidden_dims=512, out_dims=128),
    predictor=dict(in_dims=128, hidden_dims=512, out_dims=128),
)
