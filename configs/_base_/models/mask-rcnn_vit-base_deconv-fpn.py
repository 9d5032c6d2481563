"""Mask R-CNN on a plain ViT-B with global attention: heads of _base_/models/mask-rcnn_heads.py,
see there."""

_base_ = ['./mask-rcnn_heads.py']

norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=(672, 1088),
        patch_size=16,
        out_indices=(3, 5, 7, 11),
        out_type='featmap',
        final_norm=False,
        with_cp=True,
        pos_resize='recompute',
        pretrained=None,
    ),
    neck=[
        dict(type='mmmim.DeconvPyramid', in_channels=768, norm_cfg=norm_cfg),
        dict(type='FPN', in_channels=[768] * 4, out_channels=256, num_outs=5),
    ],
)
