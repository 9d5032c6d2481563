"""Linear probe of ViT-B as MAE has it: frozen encoder, class token after the final norm, BatchNorm
without affine parameters, linear layer."""

model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=224,
        patch_size=16,
        pos_embed='learned',  # holds the checkpoint's table, whatever its convention
        out_type='cls_token',
        frozen_stages=12,
        pretrained=None,
    ),
    neck=dict(type='ClsBatchNormNeck', input_features=768),
    head=dict(
        type='LinearClsHead',
        num_classes=1000,
        in_channels=768,
        init_cfg=dict(type='TruncNormal', layer='Linear', std=0.01),
    ),
)
