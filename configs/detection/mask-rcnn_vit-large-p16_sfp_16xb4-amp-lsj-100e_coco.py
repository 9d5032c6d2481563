"""ViTDet (arXiv:2203.16527) with ViT-L: layer decay 0.8, drop path 0.4, 100 epochs.

    GPUS=16 bash tools/slurm_train.sh THIS --pretrained work_dirs/MY_RUN/encoder.pth

As ViT-B's otherwise; activations are recomputed. Paper's number: not in our copy.
"""

_base_ = ['./mask-rcnn_vit-base-p16_sfp_16xb4-amp-lsj-100e_coco.py']

model = dict(
    backbone=dict(arch='large', global_blocks=(5, 11, 17, 23), drop_path_rate=0.4, with_cp=True),
    neck=dict(in_channels=1024),
)
optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.8))
