"""iBOT's fine-tuning of ViT-B (its code): class token, 20 epochs of warm-up, stochastic depth 0.2.

It sweeps the learning rate; 1e-3 is our choice [its values are not in our copy].

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number: 84.0 with block-wise, 84.1 with random masks (its README).
"""

_base_ = 'finetune_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(
    backbone=dict(out_type='cls_token', final_norm=True, drop_path_rate=0.2),
    head=dict(init_cfg=dict(std=0.02)),
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=20, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=1e-3, begin=20, convert_to_iter_based=True),
]
