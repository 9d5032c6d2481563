"""UperNet on ADE20K from BEiT's ViT-B, pre-trained without labels: lr 7e-4, layer decay 0.65, drop
path 0.1.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

microsoft/unilm, beit/semantic_segmentation, its `_pt` config. A shared table of relative positions
starts that of every block; there are no absolute ones. Number: not in our copy (cae.txt, Table 3:
45.5 and 46.5 mIoU after 300 and 800 epochs under CAE's recipe).
"""

_base_ = [
    '../_base_/models/upernet_vit-base_rel-pos.py',
    '../_base_/datasets/ade20k_512.py',
    '../_base_/schedules/adamw_polylr_seg.py',
    '../_base_/default_runtime_iter.py',
]

model = dict(
    backbone=dict(
        pos_embed='none',
        init='beit',
        layer_scale_init_value=0.1,
    )
)

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=7e-4),
    paramwise_cfg=dict(layer_decay_rate=0.65),
)
