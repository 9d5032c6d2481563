"""SplitMask, as we read it, on the embedded scenes; the encoder sees every patch once, in halves.

The tokenizer first: python tools/train.py
    configs/demo/dvae_cnn-demo-p4_1xb64-coslr-6e_scenes-32px.py

Command: python tools/train.py
    configs/demo/splitmask_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'beit_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(
    type='mmmim.MutualPrediction',
    corruption=dict(_delete_=True, type='mmmim.RandomMasking', patch_size=8, mask_ratio=0.5),
    backbone=dict(rel_pos='none', pos_embed='sincos', masked='drop'),
    neck=dict(
        type='mmmim.TransformerDecoder',
        embed_dims=96,
        num_layers=2,
        num_heads=3,
        img_size=64,
        patch_size=8,
    ),
    contrast=dict(type='mmmim.InfoNCELoss', temperature=0.1, scale=1.0),
)
