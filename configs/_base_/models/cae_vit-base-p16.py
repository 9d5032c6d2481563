"""CAE with a ViT-B/16: 98 of 196 patches hidden in blocks, DALL-E's tokens as targets.

arXiv:2202.03026, sections 3 and 4.1, and the released code. The tokenizer's file is not ours to
give: `mmmim.DALLEEncoder` says where it is.
"""

model = dict(
    type='mmmim.LatentAlignment',
    align_weight=2.0,
    corruption=dict(type='mmmim.BlockMasking', patch_size=16, mask_ratio=0.5, min_patches=16),
    backbone=dict(
        type='mmmim.MaskedBEiT',
        arch='base',
        img_size=224,
        patch_size=16,
        out_type='raw',
        pos_embed='sincos_row_first',
        rel_pos='none',
        masked='drop',
        init='cae',
        layer_scale_init_value=0.1,
        drop_path_rate=0.1,
    ),
    neck=dict(
        type='mmmim.LatentRegressor',
        in_dims=768,
        out_dims=8192,
        embed_dims=768,
        regressor_depth=4,
        decoder_depth=4,
        num_heads=12,
        img_size=224,
        patch_size=16,
        init='cae',
        layer_scale_init_value=0.1,
        drop_path_rate=0.1,
    ),
    target=dict(
        type='mmmim.TokenTarget',
        patch_size=16,
        tokenizer=dict(
            type='mmmim.DALLEEncoder',
            num_tokens=8192,
            hidden_dims=256,
            checkpoint='data/tokenizers/dalle_encoder.pth',
        ),
    ),
    loss=dict(type='mmmim.TokenCrossEntropy'),
)
