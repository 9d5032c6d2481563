"""UperNet on ADE20K from BEiT's ViT-L, pre-trained without labels: lr 4e-5 out of 3e-5, 4e-5 and
5e-5, layer decay 0.95, drop path 0.15.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

MAE-L's row [our reading: BEiT released settings for weights fine-tuned on labels alone, see
upernet-beit-ft]. Number: not in our copy.
"""

_base_ = [
    '../_base_/models/upernet_vit-large_rel-pos.py',
    '../_base_/datasets/ade20k_512.py',
    '../_base_/schedules/adamw_polylr_seg.py',
    '../_base_/default_runtime_iter.py',
]

model = dict(
    backbone=dict(
        pos_embed='none',
        init='beit',
        layer_scale_init_value=1e-06,
    )
)

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=4e-5),
    paramwise_cfg=dict(layer_decay_rate=0.95),
)
