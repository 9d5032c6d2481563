"""Classifier of 64-px scenes on a small plain ViT: mean of the patch tokens, fresh norm."""

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='mmmim.MaskedViT',
        arch=dict(embed_dims=128, num_layers=4, num_heads=4, feedforward_channels=512),
        img_size=64,
        patch_size=8,
        drop_path_rate=0.1,
        pos_embed='learned',
        out_type='avg_featmap',
        final_norm=False,
        pretrained=None,
    ),
    head=dict(
        type='LinearClsHead',
        num_classes=8,
        in_channels=128,
        loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1, mode='original'),
        init_cfg=dict(type='TruncNormal', layer='Linear', std=2e-5),
    ),
)
