"""Mask R-CNN for 64-px scenes on a small plain ViT: strides 4, 8, 16, 64 channels, few RoIs."""

_base_ = ['./mask-rcnn_demo-heads.py']
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
)
