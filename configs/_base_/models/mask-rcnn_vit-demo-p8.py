"""Mask R-CNN for 64-px scenes on a small plain ViT: strides 4, 8, 16, 64 channels, few RoIs."""

roi = dict(type='mmmim.SingleRoIExtractor', out_channels=64, featmap_strides=[4, 8, 16])
nms = dict(type='nms', iou_threshold=0.7)
iou = dict(type='MaxIoUAssigner', ignore_iof_thr=-1)
model = dict(
    type='MaskRCNN',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_mask=True,
    ),
    backbone=dict(
        type='mmmim.MaskedViT',
        arch=dict(embed_dims=128, num_layers=4, num_heads=4, feedforward_channels=512),
        img_size=64,
        patch_size=8,
        out_indices=(1, 2, 3),
        out_type='featmap',
        final_norm=False,
        pretrained=None,
    ),
    neck=[
        dict(type='mmmim.DeconvPyramid', in_channels=128, rescales=(2, 1, 0.5)),
        dict(type='FPN', in_channels=[128] * 3, out_channels=64, num_outs=3),
    ],
    rpn_head=dict(
        type='mmmim.RPNHead',
        in_channels=64,
        feat_channels=64,
        anchor_generator=dict(
            type='AnchorGenerator', scales=[4], ratios=[0.5, 1.0, 2.0], strides=[4, 8, 16]
        ),
        bbox_coder=dict(type='DeltaXYWHBBoxCoder'),
        loss_cls=dict(type='CrossEntropyLoss', use_sigmoid=True),
        loss_bbox=dict(type='L1Loss'),
    ),
    roi_head=dict(
        type='mmmim.StandardRoIHead',
        bbox_roi_extractor=dict(
            **roi, finest_scale=16, roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=2)
        ),
        bbox_head=dict(
            type='Shared2FCBBoxHead',
            in_channels=64,
            fc_out_channels=256,
            num_classes=8,
            bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_stds=[0.1, 0.1, 0.2, 0.2]),
            loss_cls=dict(type='CrossEntropyLoss'),
            loss_bbox=dict(type='L1Loss'),
        ),
        mask_roi_extractor=dict(
            **roi,
            finest_scale=16,
            roi_layer=dict(type='RoIAlign', output_size=14, sampling_ratio=2),
        ),
        mask_head=dict(
            type='FCNMaskHead',
            num_convs=2,
            in_channels=64,
            conv_out_channels=64,
            num_classes=8,
            loss_mask=dict(type='CrossEntropyLoss', use_mask=True),
        ),
    ),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(**iou, pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3),
            sampler=dict(type='RandomSampler', num=64, pos_fraction=0.5, add_gt_as_proposals=False),
            allowed_border=-1,
            pos_weight=-1,
            debug=False,
        ),
        rpn_proposal=dict(nms_pre=200, max_per_img=50, nms=nms, min_bbox_size=0),
        rcnn=dict(
            assigner=dict(**iou, pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5),
            sampler=dict(type='RandomSampler', num=24, pos_fraction=0.34, add_gt_as_proposals=True),
            mask_size=28,
            pos_weight=-1,
            debug=False,
        ),
    ),
    test_cfg=dict(
        rpn=dict(nms_pre=200, max_per_img=50, nms=nms, min_bbox_size=0),
        rcnn=dict(
            score_thr=0.05,
            nms=dict(type='nms', iou_threshold=0.5),
            max_per_img=20,
            mask_thr_binary=0.5,
        ),
    ),
)
