"""ViTDet (arXiv:2203.16527): Mask R-CNN with ViT-B and a simple feature pyramid on COCO, 100
epochs.

    GPUS=16 bash tools/slurm_train.sh THIS --pretrained work_dirs/MY_RUN/encoder.pth

lr 1e-4, layer decay 0.7, drop path 0.1, batch 64, as in detectron2's projects/ViTDet, which reports
51.6 / 45.7 (AP box / mask) with MAE's weights [as quoted by mmdet's projects/ViTDet].
"""

_base_ = [
    '../_base_/models/mask-rcnn_vit-base_sfp.py',
    '../_base_/datasets/coco_instance_lsj.py',
    '../_base_/schedules/adamw_multistep_vitdet.py',
    '../_base_/default_runtime_iter.py',
]

optim_wrapper = dict(type='mmmim.AmpOptimWrapper')
