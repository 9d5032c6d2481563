"""Fine-tuning of ViT-S on ImageNet-100, for Table 5 of the occlusion-invariant paper.

The recipe of its ViT-B on ImageNet-1K [our reading: the text gives no other].

Command: bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth, where THIS is
    configs/classification/finetune-occlusion_vit-small-p16_8xb128-amp-coslr-100e_in100.py
"""

_base_ = [
    '../_base_/models/vit-base_finetune.py',
    '../_base_/datasets/imagenet100_finetune_224.py',
    '../_base_/schedules/adamw_coslr_supervised.py',
    '../_base_/default_runtime.py',
]

model = dict(backbone=dict(arch='small'), head=dict(num_classes=100, in_channels=384))
optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.65))
