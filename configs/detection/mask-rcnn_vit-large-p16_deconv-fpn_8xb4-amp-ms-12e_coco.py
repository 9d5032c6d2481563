"""Mask R-CNN with ViT-L on COCO by CAE's recipe (arXiv:2202.03026, appendix): lr 2e-4, layer decay
0.85, drop path 0.2, taps after blocks 7, 11, 15, 23.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Numbers of arXiv:2202.03026, table 4 (AP box / mask), 1600 epochs of pre-training: MAE 54.0 / 47.1,
CAE* 54.5 / 47.6, CAE 54.6 / 47.6.
"""

_base_ = ['./mask-rcnn_vit-base-p16_deconv-fpn_8xb4-amp-ms-12e_coco.py']

norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    backbone=dict(arch='large', out_indices=(7, 11, 15, 23)),
    neck=[
        dict(type='mmmim.DeconvPyramid', in_channels=1024, norm_cfg=norm_cfg),
        dict(type='FPN', in_channels=[1024] * 4, out_channels=256, num_outs=5),
    ],
)
optim_wrapper = dict(optimizer=dict(lr=2e-4), paramwise_cfg=dict(layer_decay_rate=0.85))
