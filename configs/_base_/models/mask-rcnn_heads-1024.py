"""Heads of Mask R-CNN at 1024 px, as in detectron2's recipes for plain ViTs: two convolutions in
the RPN, L1 on box deltas, a norm in the mask head too; images are padded to 1024 x 1024."""

_base_ = ['./mask-rcnn_heads.py']

norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    data_preprocessor=dict(pad_size_divisor=1024),
    rpn_head=dict(num_convs=2),
    roi_head=dict(
        bbox_head=dict(
            norm_cfg=norm_cfg,
            reg_decoded_bbox=False,
            loss_bbox=dict(_delete_=True, type='L1Loss'),
        ),
        mask_head=dict(norm_cfg=norm_cfg),
    ),
    train_cfg=dict(rcnn=dict(assigner=dict(match_low_quality=False))),
)
