"""The labelled scenes by the class of their dominant object, 64 px: choices on tune, results on
val."""

default_scope = 'mmpretrain'
data_root = 'data/scenes/'
shapes = ('arrow', 'circle', 'crescent', 'cross', 'heart', 'square', 'star', 'triangle')
data_preprocessor = dict(
    num_classes=8, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomResizedCrop', scale=64, crop_ratio_range=(0.6, 1.0), interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
scenes = dict(type='CustomDataset', data_root=data_root, classes=shapes)
in_order = dict(batch_size=100, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        **scenes,
        data_prefix='cls/train',
        ann_file='annotations/cls_train.txt',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    **in_order,
    dataset=dict(
        **scenes,
        data_prefix='cls/tune',
        ann_file='annotations/cls_tune.txt',
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    **in_order,
    dataset=dict(
        **scenes,
        data_prefix='cls/val',
        ann_file='annotations/cls_val.txt',
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type='Accuracy', topk=(1,))
test_evaluator = [
    dict(type='Accuracy', topk=(1,)),
    dict(
        type='mmmim.SubsetAccuracy',
        topk=(1,),
        prefix='away',
        ann_file=data_root + 'annotations/cls_val_away.txt',
    ),
]
