"""SimMIM, ViT-B/16, 800 epochs on ImageNet-1K (arXiv:2111.09886).

Batch 2048, AdamW, lr 4e-4, a tenth of it from epoch 700, clipping at 5, stochastic depth 0.1.
As in its code, relative positions of the ViT are decayed; those of Swin are not.

Command: bash tools/dist_train.sh
    configs/simmim/simmim_vit-base-p16_16xb128-amp-steplr-800e_in1k.py 16
The paper's number: not in our copy.
"""

_base_ = [
    '../_base_/models/simmim_vit-base-p16.py',
    '../_base_/datasets/imagenet_simmim_224.py',
    '../_base_/schedules/adamw_steplr_simmim.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

train_dataloader = dict(batch_size=128)
optim_wrapper = dict(paramwise_cfg=dict(pos_embed_decay_mult=1.0))
