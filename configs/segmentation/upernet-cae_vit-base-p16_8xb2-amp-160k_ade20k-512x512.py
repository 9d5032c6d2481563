"""UperNet on ADE20K from CAE's ViT-B: lr 1e-4 (800 epochs 2e-4, 300 epochs 3e-4; searched over 1,
2, 3, 4e-4), layer decay 0.65, drop path 0.1.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

cae.txt, appendix and Table 3: CAE* 48.3, 49.7 and 50.2 mIoU after 300, 800 and 1600 epochs, CAE
50.1. LayerScale from 0.1, or the file's.
"""

_base_ = [
    '../_base_/models/upernet_vit-base_rel-pos.py',
    '../_base_/datasets/ade20k_512.py',
    '../_base_/schedules/adamw_polylr_seg.py',
    '../_base_/default_runtime_iter.py',
]

model = dict(
    backbone=dict(
        pos_embed='sincos_row_first',
        init='cae',
        layer_scale_init_value=0.1,
    )
)

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=1e-4),
    paramwise_cfg=dict(layer_decay_rate=0.65),
)
