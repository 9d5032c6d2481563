"""DINO at the size of the embedded data: 1024 prototypes, a shorter warm-up [ours]."""

_base_ = 'dino_vit-base-p16.py'

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
    neck=dict(in_dims=128, num_prototypes=1024, hidden_dims=256, proj_dims=64),
    loss=dict(num_prototypes=1024, warmup_epochs=3),
    momentum=0.99,
)
