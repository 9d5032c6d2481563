"""Our reading of Ge2-AE (arXiv:2204.08227), ViT-B/16, 800 epochs on ImageNet-1K.

Only the abstract is at hand: encoder, masks, schedule and pixel decoder are MAE's.

Command: bash tools/dist_train.sh
    configs/ge2ae/ge2ae_vit-base-p16_8xb512-amp-coslr-800e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = [
    '../_base_/models/ge2ae_vit-base-p16.py',
    '../_base_/datasets/imagenet_pretrain_224.py',
    '../_base_/schedules/adamw_coslr_pretrain.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

train_dataloader = dict(batch_size=512)
optim_wrapper = dict(type='mmmim.AmpOptimWrapper', optimizer=dict(lr=2.4e-3))
auto_scale_lr = dict(base_batch_size=4096)
train_cfg = dict(max_epochs=800)
