"""MoCo v3 with a ViT-B/16 (arXiv:2104.02057, sections 4.1 and 4.3, and its code).

Frozen patch embedding, fixed positions, momentum 0.99 on a cosine to 1, temperature 0.2.
"""

model = dict(
    type='mmmim.TwoViewContrast',
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=224,
        patch_size=16,
        out_type='cls_token',
        pos_embed='sincos_row_first',
        init='moco',
        frozen_patch_embed=True,
    ),
    neck=dict(
        type='mmmim.ProjectionMLP',
        in_dims=768,
        hidden_dims=4096,
        out_dims=256,
        num_layers=3,
        act='ReLU',
        head_norm=dict(type='SyncBN'),
    ),
    predictor=dict(
        type='mmmim.ProjectionMLP',
        in_dims=256,
        hidden_dims=4096,
        out_dims=256,
        num_layers=2,
        act='ReLU',
        head_norm=dict(type='SyncBN'),
    ),
    loss=dict(type='mmmim.InfoNCELoss', temperature=0.2),
    momentum=0.99,
)
