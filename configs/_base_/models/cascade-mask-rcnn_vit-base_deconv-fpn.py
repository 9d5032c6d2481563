"""Cascade Mask R-CNN on a plain ViT-B with global attention: three box stages in place of the one
of Mask R-CNN, each trained on the boxes of the one before."""

_base_ = ['./mask-rcnn_vit-base_deconv-fpn.py']

bbox = dict(
    type='Shared4Conv1FCBBoxHead',
    in_channels=256,
    fc_out_channels=1024,
    num_classes=80,
    norm_cfg=dict(type='SyncBN', requires_grad=True),
    reg_decoded_bbox=True,
    loss_cls=dict(type='CrossEntropyLoss'),
    loss_bbox=dict(type='GIoULoss', loss_weight=10.0),
)
coders = [
    dict(type='DeltaXYWHBBoxCoder', target_stds=[0.1, 0.1, 0.2, 0.2]),
    dict(type='DeltaXYWHBBoxCoder', target_stds=[0.05, 0.05, 0.1, 0.1]),
    dict(type='DeltaXYWHBBoxCoder', target_stds=[0.033, 0.033, 0.067, 0.067]),
]
sampler = dict(
    type='RandomSampler', num=512, pos_fraction=0.25, neg_pos_ub=-1, add_gt_as_proposals=True
)
stages = [
    dict(
        assigner=dict(
            type='MaxIoUAssigner',
            pos_iou_thr=iou,
            neg_iou_thr=iou,
            min_pos_iou=iou,
            match_low_quality=False,
            ignore_iof_thr=-1,
        ),
        sampler=sampler,
        mask_size=28,
        pos_weight=-1,
        debug=False,
    )
    for iou in (0.5, 0.6, 0.7)
]
model = dict(
    type='CascadeRCNN',
    roi_head=dict(
        type='mmmim.CascadeRoIHead',
        num_stages=3,
        stage_loss_weights=[1, 0.5, 0.25],
        bbox_head=[dict(**bbox, bbox_coder=coder) for coder in coders],
    ),
    train_cfg=dict(rcnn=stages),
)
