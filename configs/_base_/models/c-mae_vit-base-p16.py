"""C-MAE with a ViT-B/16: two complementary masked views, mask tokens, InfoNCE token by token.

Occlusion-invariant paper, Eqs. (9) to (11) and section 5: projector and predictor 2048 wide with
768 outputs, temperature 0.2, momentum 0.996, SimSiam's colours after masking. Batch norms of the
heads as in MoCo v3 [our reading].
"""

head = dict(
    type='mmmim.ProjectionMLP',
    hidden_dims=2048,
    out_dims=768,
    num_layers=2,
    act='GELU',
    head_norm=dict(type='SyncBN'),
)
model = dict(
    type='mmmim.ContrastiveMIM',
    corruption=dict(type='mmmim.RandomMasking', patch_size=16, mask_ratio=0.75),
    second='complement',
    augmentation=dict(
        type='mmmim.RandomColorJitter',
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        hue=0.1,
        prob=0.8,
        gray_prob=0.2,
    ),
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=224,
        patch_size=16,
        out_type='raw',
        pos_embed='sincos',
        masked='replace',
    ),
    neck=head,
    predictor=head,
    tokens='token',
    symmetric=True,
    momentum=dict(momentum=0.996, schedule='constant'),
    loss=dict(type='mmmim.InfoNCELoss', temperature=0.2),
)
