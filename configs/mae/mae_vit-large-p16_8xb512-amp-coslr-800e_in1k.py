"""MAE, ViT-L/16, 800 epochs on ImageNet-1K (arXiv:2111.06377).

Batch 4096, AdamW, base lr 1.5e-4 per 256 images, 40 epochs of warm-up, half a cosine to 0.

Command: bash tools/dist_train.sh configs/mae/mae_vit-large-p16_8xb512-amp-coslr-800e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = [
    '../_base_/models/mae_vit-large-p16.py',
    '../_base_/datasets/imagenet_pretrain_224.py',
    '../_base_/schedules/adamw_coslr_pretrain.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

train_dataloader = dict(batch_size=512)
optim_wrapper = dict(type='mmmim.AmpOptimWrapper', optimizer=dict(lr=2.4e-3))
auto_scale_lr = dict(base_batch_size=4096)
train_cfg = dict(max_epochs=800)
