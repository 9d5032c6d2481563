"""MAE at the size of the embedded data: 64 px, patches of 8, a ViT that trains on a CPU."""

model = dict(
    type='mmmim.MaskedImageModeling',
    corruption=dict(type='mmmim.RandomMasking', patch_size=8, mask_ratio=0.75),
    backbone=dict(
        type='mmmim.MaskedViT',
        arch=dict(embed_dims=128, num_layers=4, num_heads=4, feedforward_channels=512),
        img_size=64,
        patch_size=8,
        out_type='raw',
        pos_embed='sincos',
    ),
    neck=dict(
        type='mmmim.TransformerDecoder',
        in_dims=128,
        out_dims=192,
        embed_dims=96,
        num_layers=1,
        num_heads=3,
        img_size=64,
        patch_size=8,
    ),
    target=dict(type='mmmim.PixelTarget', patch_size=8, normalize='rgb', per_patch=True),
    loss=dict(type='mmmim.MaskedRegressionLoss', p=2),
)
