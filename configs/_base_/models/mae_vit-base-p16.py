"""MAE with a ViT-B/16: 75 % of the patches hidden, an 8-layer decoder, per-patch normalised pixels.

arXiv:2111.06377, section 3 and appendix A.1.
"""

model = dict(
    type='mmmim.MaskedImageModeling',
    corruption=dict(type='mmmim.RandomMasking', patch_size=16, mask_ratio=0.75),
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=224,
        patch_size=16,
        out_type='raw',
        pos_embed='sincos',
    ),
    neck=dict(
        type='mmmim.TransformerDecoder',
        in_dims=768,
        out_dims=768,
        embed_dims=512,
        num_layers=8,
        num_heads=16,
        img_size=224,
        patch_size=16,
    ),
    target=dict(type='mmmim.PixelTarget', patch_size=16, normalize='rgb', per_patch=True),
    loss=dict(type='mmmim.MaskedRegressionLoss', p=2),
)
