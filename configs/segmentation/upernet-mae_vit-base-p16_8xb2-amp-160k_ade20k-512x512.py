"""UperNet on ADE20K from MAE's ViT-B: lr 8e-5, layer decay 0.8, drop path 0.1.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The authors' values in long_seq_mae, issue 1. Relative positions per block start at 0, the sin-cos
table is interpolated and frozen. Number of the MAE paper: not in our copy (cae.txt, Table 3, has
MAE under CAE's recipe: docs/segmentation.md).
"""

_base_ = [
    '../_base_/models/upernet_vit-base_rel-pos.py',
    '../_base_/datasets/ade20k_512.py',
    '../_base_/schedules/adamw_polylr_seg.py',
    '../_base_/default_runtime_iter.py',
]

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=8e-5),
    paramwise_cfg=dict(layer_decay_rate=0.8),
)
