"""UperNet for 64-px scenes on a small plain ViT: strides 4, 8, 16, 64 channels."""

norm_cfg = dict(type='BN', requires_grad=True)
head = dict(
    dropout_ratio=0.1,
    num_classes=9,
    norm_cfg=norm_cfg,
    align_corners=False,
)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(64, 64),
        test_cfg=dict(size=(64, 64)),
    ),
    backbone=dict(
        type='mmmim.MaskedViT',
        arch=dict(embed_dims=128, num_layers=4, num_heads=4, feedforward_channels=512),
        img_size=64,
        patch_size=8,
        out_indices=(1, 2, 3),
        out_type='featmap',
        final_norm=False,
        drop_path_rate=0.1,
        pretrained=None,
    ),
    neck=dict(type='mmmim.DeconvPyramid', in_channels=128, rescales=(2, 1, 0.5), norm_cfg=norm_cfg),
    decode_head=dict(
        **head,
        type='UPerHead',
        in_channels=[128] * 3,
        in_index=[0, 1, 2],
        pool_scales=(1, 2, 4),
        channels=64,
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
    auxiliary_head=dict(
        **head,
        type='FCNHead',
        in_channels=128,
        in_index=1,
        channels=64,
        num_convs=1,
        concat_input=False,
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.4),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
