"""RPN and RoI heads of Mask R-CNN for 64-px scenes: strides 4, 8, 16, 64 channels, 16 RoIs per
image."""

_base_ = ['./mask-rcnn_train-test.py']

roi = dict(
    type='mmmim.SingleRoIExtractor', out_channels=64, featmap_strides=[4, 8, 16], finest_scale=16
)
align = dict(type='RoIAlign', sampling_ratio=2)
model = dict(
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
        bbox_roi_extractor=dict(**roi, roi_layer=dict(**align, output_size=7)),
        bbox_head=dict(
            type='Shared2FCBBoxHead',
            in_channels=64,
            fc_out_channels=256,
            num_classes=8,
            bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_stds=[0.1, 0.1, 0.2, 0.2]),
            loss_cls=dict(type='CrossEntropyLoss'),
            loss_bbox=dict(type='L1Loss'),
        ),
        mask_roi_extractor=dict(**roi, roi_layer=dict(**align, output_size=14)),
        mask_head=dict(
            type='FCNMaskHead',
            num_convs=2,
            in_channels=64,
            conv_out_channels=32,
            num_classes=8,
            loss_mask=dict(type='CrossEntropyLoss', use_mask=True),
        ),
    ),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=100, max_per_img=30),
        rcnn=dict(sampler=dict(num=16, pos_fraction=0.5)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=100, max_per_img=30), rcnn=dict(max_per_img=10)),
)
