"""Linear probe of ViT-B as MoCo v3's code has it: SGD at 12, batch 1024, no BatchNorm, float32.

Its crops are bilinear; the rate falls once per epoch, without warm-up.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number: 76.7 (its README).
"""

_base_ = [
    '../_base_/models/vit-base_linear.py',
    '../_base_/datasets/imagenet_attentive_224.py',
    '../_base_/schedules/sgd_coslr_attentive.py',
    '../_base_/default_runtime.py',
]

model = dict(
    neck=None, head=dict(init_cfg=dict(_delete_=True, type='Normal', layer='Linear', std=0.01))
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomResizedCrop', scale=224, backend='pillow', interpolation='bilinear'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=128, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(type='mmmim.OptimWrapper', optimizer=dict(lr=12.0))
param_scheduler = [dict(type='CosineAnnealingLR', eta_min=0.0)]
auto_scale_lr = dict(base_batch_size=1024)
custom_hooks = []
