"""Mask R-CNN with ViT-B on COCO by the recipe of Li et al. 2021 (arXiv:2111.11429), 25 epochs:
what Robust MAE transfers with.

    GPUS=16 bash tools/slurm_train.sh THIS --pretrained work_dirs/MY_RUN/encoder.pth

Windows of 16 with four global blocks, 1024 px with large-scale jitter, lr 8e-5 without layer decay,
drop path 0.1. Robust MAE tunes the rate alone and gives no grid: take the best of 4e-5, 8e-5,
1.2e-4, 1.6e-4 (--cfg-options optim_wrapper.optimizer.lr=LR) [our reading]. Its numbers: not in our
copy. MIMDet, the source of these values, reports 48.0 / 43.0 (AP box / mask) with MAE's weights.
"""

_base_ = [
    '../_base_/models/mask-rcnn_vit-base_window16.py',
    '../_base_/datasets/coco_instance_lsj.py',
    '../_base_/schedules/adamw_coslr_det.py',
    '../_base_/default_runtime_iter.py',
]

optim_wrapper = dict(type='mmmim.AmpOptimWrapper')
train_cfg = dict(max_iters=46094)  # a quarter of 100 epochs' 184375
