"""UperNet on ADE20K from CAE's ViT-L: lr 4e-5 (searched over 3, 4, 5e-5), layer decay 0.95, drop
path 0.15.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

cae.txt, appendix and Table 3: CAE* 54.7, CAE 54.6 mIoU. LayerScale from 1e-5, or the file's.
"""

_base_ = [
    '../_base_/models/upernet_vit-large_rel-pos.py',
    '../_base_/datasets/ade20k_512.py',
    '../_base_/schedules/adamw_polylr_seg.py',
    '../_base_/default_runtime_iter.py',
]

model = dict(
    backbone=dict(
        pos_embed='sincos_row_first',
        init='cae',
        layer_scale_init_value=1e-05,
    )
)

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=4e-5),
    paramwise_cfg=dict(layer_decay_rate=0.95),
)
