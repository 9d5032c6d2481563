"""Mask R-CNN with ViT-S on COCO by CAE's recipe (arXiv:2202.03026, appendix), as ViT-B's but for
drop path 0.1.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Numbers of arXiv:2202.03026, table 4 (AP box / mask), 300 epochs of pre-training: CAE* 44.1 / 39.2,
DeiT 43.1 / 38.4, BEiT 35.6 / 32.6.
"""

_base_ = ['./mask-rcnn_vit-base-p16_deconv-fpn_8xb4-amp-ms-12e_coco.py']

norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    backbone=dict(
        # 12 heads as CAE and MoCo v3; DeiT's 6 by model.backbone.arch.num_heads=6.
        arch=dict(
            _delete_=True,
            embed_dims=384,
            num_layers=12,
            num_heads=12,
            feedforward_channels=1536,
        ),
        drop_path_rate=0.1,
    ),
    neck=[
        dict(type='mmmim.DeconvPyramid', in_channels=384, norm_cfg=norm_cfg),
        dict(type='FPN', in_channels=[384] * 4, out_channels=256, num_outs=5),
    ],
)
