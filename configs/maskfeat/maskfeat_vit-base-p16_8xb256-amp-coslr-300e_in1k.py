"""MaskFeat, ViT-B/16, 300 epochs on ImageNet-1K (arXiv:2112.09133).

Batch 2048, AdamW, base lr 2e-4 per 256 images, 30 epochs of warm-up, clipping at 0.02; as in
mmpretrain's recipe the mask token is not decayed and positions are.

Command: bash tools/dist_train.sh
    configs/maskfeat/maskfeat_vit-base-p16_8xb256-amp-coslr-300e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = [
    '../_base_/models/maskfeat_vit-base-p16.py',
    '../_base_/datasets/imagenet_pretrain_224_scale05.py',
    '../_base_/schedules/adamw_coslr_pretrain.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

train_dataloader = dict(batch_size=256)
optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=1.6e-3, betas=(0.9, 0.999)),
    clip_grad=dict(max_norm=0.02),
    paramwise_cfg=dict(pos_embed_decay_mult=1.0, custom_keys={'mask_token': dict(decay_mult=0.0)}),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=30, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=1e-6, begin=30, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=300)
auto_scale_lr = dict(base_batch_size=2048)
