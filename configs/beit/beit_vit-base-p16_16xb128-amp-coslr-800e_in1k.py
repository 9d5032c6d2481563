"""BEiT, ViT-B/16, 800 epochs on ImageNet-1K (arXiv:2106.08254), DALL-E tokens.

Batch 2048, AdamW, lr 1.5e-3, 10 epochs of warm-up, clipping at 3, stochastic depth 0.1.

Command: bash tools/dist_train.sh
    configs/beit/beit_vit-base-p16_16xb128-amp-coslr-800e_in1k.py 16
The paper's number: not in our copy.
"""

_base_ = [
    '../_base_/models/beit_vit-base-p16.py',
    '../_base_/datasets/imagenet_beit_224.py',
    '../_base_/schedules/adamw_coslr_beit.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

train_dataloader = dict(batch_size=128)
