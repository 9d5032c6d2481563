"""SplitMask, ViT-B/16, 300 epochs on ImageNet-1K: our reading of arXiv:2112.10740.

Command: bash tools/dist_train.sh
    configs/splitmask/splitmask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py 16
The paper's number: not in our copy.
"""

_base_ = [
    '../_base_/models/splitmask_vit-base-p16.py',
    '../_base_/datasets/imagenet_beit_224.py',
    '../_base_/schedules/adamw_coslr_beit.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

train_dataloader = dict(batch_size=128)
train_cfg = dict(max_epochs=300)
