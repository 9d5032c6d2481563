"""BEiT with a ViT-B/16: 75 of 196 patches replaced in blocks, their visual tokens classified.

arXiv:2106.08254, sections 2.2 to 2.5. Shared relative positions, no absolute ones, LayerScale.
"""

model = dict(
    type='mmmim.MaskedImageModeling',
    corruption=dict(
        type='mmmim.BlockMasking', patch_size=16, num_masked=75, min_patches=16, exact_count=False
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
    neck=dict(type='mmmim.LinearDecoder', in_dims=768, out_dims=8192),
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
