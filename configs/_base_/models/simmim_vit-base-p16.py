"""SimMIM with a ViT-B/16: 60 % of the squares of 32 px replaced, a linear layer regresses pixels.

arXiv:2111.09886, section 3. The backbone is BEiT's: shared relative positions, LayerScale.
"""

model = dict(
    type='mmmim.MaskedImageModeling',
    corruption=dict(
        type='mmmim.RandomMasking', patch_size=16, unit=32, mask_ratio=0.6, rounding='masked'
    ),
    backbone=dict(
        type='mmmim.MaskedBEiT',
        arch='base',
        img_size=224,
        patch_size=16,
        out_type='raw',
        rel_pos='shared',
        masked='replace',
        layer_scale_init_value=0.1,
        drop_path_rate=0.1,
        init='beit',
    ),
    neck=dict(type='mmmim.LinearDecoder', in_dims=768, out_dims=768, init='torch'),
    target=dict(type='mmmim.PixelTarget', patch_size=16, normalize='rgb', per_patch=False),
    loss=dict(type='mmmim.MaskedRegressionLoss', p=1, eps=1e-5),
)
