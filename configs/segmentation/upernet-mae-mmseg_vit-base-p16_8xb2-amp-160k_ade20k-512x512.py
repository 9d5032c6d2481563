"""UperNet on ADE20K from MAE's ViT-B as mmseg has it: lr 1e-4, layer decay 0.65, drop path 0.1,
LayerScale from 1, positions trained.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

mmseg reports 48.13 mIoU for its configs/mae/mae-base_upernet_8xb2-amp-160k_ade20k-512x512.py.
"""

_base_ = [
    '../_base_/models/upernet_vit-base_rel-pos.py',
    '../_base_/datasets/ade20k_512.py',
    '../_base_/schedules/adamw_polylr_seg.py',
    '../_base_/default_runtime_iter.py',
]

model = dict(backbone=dict(pos_embed='learned', layer_scale_init_value=1.0))

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=1e-4),
    paramwise_cfg=dict(layer_decay_rate=0.65),
)
