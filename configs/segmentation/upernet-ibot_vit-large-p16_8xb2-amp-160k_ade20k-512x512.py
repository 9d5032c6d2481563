"""UperNet on ADE20K from iBOT's ViT-L: lr 2e-5, layer decay 0.95, drop path 0.2, all maps
normalised.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

bytedance/ibot, vit_large_512_ade20k_160k.py; the norm as in its commands for ViT-S and B [our
reading: there is none for ViT-L]. Number: not in our copy.
"""

_base_ = [
    '../_base_/models/upernet_vit-large.py',
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
        drop_path_rate=0.2,
    )
)

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=2e-5),
    paramwise_cfg=dict(layer_decay_rate=0.95),
)
