"""ViTDet (arXiv:2203.16527): a plain ViT-B in windows of 14 with four global blocks, decomposed
relative positions, and a pyramid out of its last map."""

_base_ = ['./mask-rcnn_heads-1024.py']

norm_cfg = dict(type='mmpretrain.LN2d', eps=1e-6)
model = dict(
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=1024,
        patch_size=16,
        with_cls_token=False,
        window_size=14,
        global_blocks=(2, 5, 8, 11),
        see_padding=True,
        rel_pos='decomposed',
        pos_embed='learned',
        out_type='featmap',
        final_norm=False,
        drop_path_rate=0.1,
        pretrained=None,
    ),
    neck=dict(type='mmmim.SimpleFeaturePyramid', in_channels=768, out_channels=256, num_outs=5),
    roi_head=dict(bbox_head=dict(norm_cfg=norm_cfg), mask_head=dict(norm_cfg=norm_cfg)),
)
