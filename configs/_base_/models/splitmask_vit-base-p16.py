"""SplitMask with a ViT-B/16, as we read its abstract (arXiv:2112.10740); its text is not at hand.

BEiT's blocks without relative positions, halves of 98 patches, a decoder of 2 blocks, DALL-E's
tokens, InfoNCE at temperature 0.1 between the two summaries.
"""

model = dict(
    type='mmmim.MutualPrediction',
    corruption=dict(type='mmmim.RandomMasking', patch_size=16, mask_ratio=0.5),
    backbone=dict(
        type='mmmim.MaskedBEiT',
        arch='base',
        img_size=224,
        patch_size=16,
        out_type='raw',
        rel_pos='none',
        pos_embed='sincos',
        masked='drop',
        layer_scale_init_value=0.1,
        drop_path_rate=0.1,
        init='beit',
    ),
    neck=dict(
        type='mmmim.TransformerDecoder',
        in_dims=768,
        out_dims=8192,
        embed_dims=768,
        num_layers=2,
        num_heads=12,
        img_size=224,
        patch_size=16,
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
    contrast=dict(type='mmmim.InfoNCELoss', temperature=0.1, scale=1.0),
    contrast_weight=1.0,
)
