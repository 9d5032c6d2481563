"""DeiT classifier (arXiv:2012.12877, table 9): class token, learned positions, mixup or cutmix."""

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=224,
        patch_size=16,
        drop_path_rate=0.1,
        pos_embed='learned',
        out_type='cls_token',
        init='trunc_normal',
    ),
    head=dict(
        type='LinearClsHead',
        num_classes=1000,
        in_channels=768,
        loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1, mode='original'),
        init_cfg=dict(type='TruncNormal', layer='Linear', std=0.02),
    ),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=0.8), dict(type='CutMix', alpha=1.0)]),
)
