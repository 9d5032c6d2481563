"""ViT-S/16 from random weights, supervised on ImageNet-100, 200 epochs.

The supervised row of Table 5 of the occlusion-invariant paper, which compares pre-trainings on
ImageNet-100 with it. As fine-tuning (base lr 1e-3, batch 1024), without layer decay [our reading:
there are no pre-trained layers to keep].

Command: bash tools/dist_train.sh
    configs/classification/supervised_vit-small-p16_8xb128-amp-coslr-200e_in100.py 8
That paper's number: 81.6.
"""

_base_ = [
    '../_base_/models/vit-base_finetune.py',
    '../_base_/datasets/imagenet100_finetune_224.py',
    '../_base_/schedules/adamw_coslr_supervised.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(arch='small', pos_embed='sincos'), head=dict(num_classes=100, in_channels=384)
)
train_cfg = dict(max_epochs=200)
