"""UperNet on ADE20K from MAE's ViT-L: lr 4e-5 out of 3e-5, 4e-5 and 5e-5, layer decay 0.95, drop
path 0.15.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The search of CAE's appendix, which it makes "for all the methods" with ViT-L [our reading: the
authors' own values for ViT-L are not in our copy]. cae.txt, Table 3, MAE 1600 epochs: 53.6 mIoU.
"""

_base_ = [
    '../_base_/models/upernet_vit-large_rel-pos.py',
    '../_base_/datasets/ade20k_512.py',
    '../_base_/schedules/adamw_polylr_seg.py',
    '../_base_/default_runtime_iter.py',
]

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=4e-5),
    paramwise_cfg=dict(layer_decay_rate=0.95),
)
