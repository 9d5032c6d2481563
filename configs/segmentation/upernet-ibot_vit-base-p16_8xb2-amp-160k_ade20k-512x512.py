"""UperNet on ADE20K from iBOT's ViT-B: lr 8e-5, layer decay 0.65, drop path 0.1, all maps
normalised.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

bytedance/ibot, evaluation/README.md: its command changes the config's lr of 7e-4 to 8e-5 and turns
the norm on. Learnt positions, interpolated and trained on. Number: not in our copy.
"""

_base_ = [
    '../_base_/models/upernet_vit-base.py',
    '../_base_/datasets/ade20k_512.py',
    '../_base_/schedules/adamw_polylr_seg.py',
    '../_base_/default_runtime_iter.py',
]

model = dict(
    backbone=dict(
        pos_embed='learned',
        init='trunc_normal',
        final_norm=True,
        tap_norm=True,
    )
)

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=8e-5),
    paramwise_cfg=dict(layer_decay_rate=0.65),
)
