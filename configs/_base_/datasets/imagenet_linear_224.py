"""ImageNet-1K as MAE's linear probe reads it: one random crop, flip, 224 px, bicubic."""

_base_ = 'imagenet_finetune_224.py'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmmim.SingleDrawResizedCrop', scale=224),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=512, dataset=dict(pipeline=train_pipeline))
