"""Robust MAE, ViT-B/16, 800 epochs on ImageNet-1K.

Drop edge of 0.3 in the decoder (section 2.1), crops of 50 to 100 % of the area, global RGB target
with per-patch normalisation (section 2.2), the rest as MAE.

Command: bash tools/dist_train.sh
    configs/robust_mae/robust-mae_vit-base-p16_8xb512-amp-coslr-800e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = [
    '../_base_/models/mae_vit-base-p16.py',
    '../_base_/datasets/imagenet_pretrain_224_scale05.py',
    '../_base_/schedules/adamw_coslr_pretrain.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

model = dict(neck=dict(drop_edge=0.3))
train_dataloader = dict(batch_size=512)
optim_wrapper = dict(type='mmmim.AmpOptimWrapper', optimizer=dict(lr=2.4e-3))
auto_scale_lr = dict(base_batch_size=4096)
train_cfg = dict(max_epochs=800)
