"""C-MAE at the size of the embedded data, with heads to match."""

_base_ = 'c-mae_vit-base-p16.py'

model = dict(
    corruption=dict(patch_size=8),
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
    neck=dict(hidden_dims=256, out_dims=128),
    predictor=dict(hidden_dims=256, out_dims=128),
)
