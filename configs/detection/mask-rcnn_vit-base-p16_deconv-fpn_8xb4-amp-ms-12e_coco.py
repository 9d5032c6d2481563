"""Mask R-CNN on COCO by CAE's recipe (arXiv:2202.03026, appendix): plain global attention, 12
epochs, batch 32.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

lr 3e-4, layer decay 0.75, drop path 0.2, taps after blocks 3, 5, 7, 11. Fixed positions are
recomputed for each image size. Numbers of arXiv:2202.03026, table 4, with CAE weights (AP box /
mask): 48.4 / 42.6 (300 epochs), 50.0 / 44.0 (1600).
"""

_base_ = [
    '../_base_/models/mask-rcnn_vit-base_deconv-fpn.py',
    '../_base_/datasets/coco_instance.py',
    '../_base_/schedules/adamw_multistep_det.py',
    '../_base_/default_runtime.py',
]

model = dict(backbone=dict(drop_path_rate=0.2))
optim_wrapper = dict(type='mmmim.AmpOptimWrapper')
