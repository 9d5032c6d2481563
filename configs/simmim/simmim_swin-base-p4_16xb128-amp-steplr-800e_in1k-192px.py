"""SimMIM, Swin-B at 192 px, windows of 6, 800 epochs on ImageNet-1K (arXiv:2111.09886).

Batch 2048, AdamW, lr 4e-4, a tenth of it from epoch 700, clipping at 5.

Command: bash tools/dist_train.sh
    configs/simmim/simmim_swin-base-p4_16xb128-amp-steplr-800e_in1k-192px.py 16
The paper's number: not in our copy.
"""

_base_ = [
    '../_base_/models/simmim_swin-base-p4.py',
    '../_base_/datasets/imagenet_simmim_224.py',
    '../_base_/schedules/adamw_steplr_simmim.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

crop = dict(size=192, scale=(0.67, 1.0), interpolation='bilinear')
train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', **crop),
            dict(type='mmmim.RandomFlip', prob=0.5),
        ]
    ),
)
