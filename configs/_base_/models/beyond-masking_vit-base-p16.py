"""Beyond Masking with a ViT-B/16, as in its code: no class token, 1-D sinusoid positions, biases of
query and value, a 4-layer decoder; pixels normalised per patch and channel. Here with 75 % masking.

arXiv:2203.14313; the code is sunsmarterjie/beyond_masking. Its decoder has query and value biases
too; the key bias that ours has beside them changes nothing in a softmax.
"""

model = dict(
    type='mmmim.MaskedImageModeling',
    corruption=dict(type='mmmim.RandomMasking', patch_size=16, mask_ratio=0.75),
    backbone=dict(
        type='mmmim.MaskedBEiT',
        arch='base',
        img_size=224,
        patch_size=16,
        out_type='raw',
        with_cls_token=False,
        pos_embed='sinusoid_1d',
        rel_pos='none',
        layer_scale_init_value=0.0,
        masked='drop',
        init='trunc_normal',
    ),
    neck=dict(
        type='mmmim.TransformerDecoder',
        in_dims=768,
        out_dims=768,
        embed_dims=384,
        num_layers=4,
        num_heads=6,
        img_size=224,
        patch_size=16,
        num_prefix=0,
        pos_embed='sinusoid_1d',
        embed_bias=False,
        init='trunc_normal',
    ),
    target=dict(type='mmmim.PixelTarget', patch_size=16, normalize='none', per_channel=True),
    loss=dict(type='mmmim.MaskedRegressionLoss', p=2),
)
