"""Mask R-CNN on a plain ViT-B in windows of 16 (Li et al. 2021, arXiv:2111.11429): four global
blocks, one table of relative positions for them and one for all others."""

_base_ = ['./mask-rcnn_heads-1024.py']

model = dict(
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=1024,
        patch_size=16,
        with_cls_token=False,
        window_size=16,
        global_blocks=(2, 5, 8, 11),
        rel_pos='window_tables',
        pos_resize='recompute',
        out_indices=(2, 5, 8, 11),
        out_type='featmap',
        final_norm=False,
        drop_path_rate=0.1,
        pretrained=None,
    ),
    neck=[
        dict(type='mmmim.DeconvPyramid', in_channels=768, norm_cfg=dict(type='GN', num_groups=32)),
        dict(
            type='FPN',
            in_channels=[768] * 4,
            out_channels=256,
            num_outs=5,
            norm_cfg=dict(type='SyncBN', requires_grad=True),
        ),
    ],
)
