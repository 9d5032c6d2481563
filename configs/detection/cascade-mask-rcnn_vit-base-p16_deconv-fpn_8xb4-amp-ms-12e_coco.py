"""Cascade Mask R-CNN with ViT-B on COCO, 12 epochs, batch 32 (arXiv:2202.03026, table 7).

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper says "1x schedule, our implementation" and nothing more: backbone, neck and optimizer are
those of its Mask R-CNN, the three stages (weights 1, 0.5, 0.25, class-specific) those of iBOT.

Numbers of its table 7 (AP box / mask): MAE 51.3 / 44.3, iBOT 51.2 / 44.2, CAE* 51.6 / 44.6 (300
epochs), 52.8 / 45.5 (800), 52.9 / 45.5 (1600).
"""

_base_ = [
    '../_base_/models/cascade-mask-rcnn_vit-base_deconv-fpn.py',
    '../_base_/datasets/coco_instance.py',
    '../_base_/schedules/adamw_multistep_det.py',
    '../_base_/default_runtime.py',
]

model = dict(backbone=dict(drop_path_rate=0.2))
optim_wrapper = dict(type='mmmim.AmpOptimWrapper')
