"""Mask R-CNN with ViT-L on COCO by the recipe of Li et al. 2021 (arXiv:2111.11429), 25 epochs.

    GPUS=16 bash tools/slurm_train.sh THIS --pretrained work_dirs/MY_RUN/encoder.pth

As ViT-B's but for depth, global blocks at the end of each quarter, drop path 0.3 (between MAE-L's
0.2 in fine-tuning and ViTDet-L's 0.4) and recomputed activations: our reading, since no source
gives ViT-L. The grid of rates is ViT-B's. Robust MAE's numbers: not in our copy.
"""

_base_ = ['./mask-rcnn-window16_vit-base-p16_deconv-fpn_16xb4-amp-lsj-25e_coco.py']

fpn_norm = dict(type='SyncBN', requires_grad=True)
blocks = (5, 11, 17, 23)
model = dict(
    backbone=dict(
        arch='large', global_blocks=blocks, out_indices=blocks, drop_path_rate=0.3, with_cp=True
    ),
    neck=[
        dict(type='mmmim.DeconvPyramid', in_channels=1024, norm_cfg=dict(type='GN', num_groups=32)),
        dict(type='FPN', in_channels=[1024] * 4, out_channels=256, num_outs=5, norm_cfg=fpn_norm),
    ],
)
