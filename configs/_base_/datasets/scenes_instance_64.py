"""The labelled scenes as COCO instances, 64 px: choices on the tune split, results on the
validation split."""

default_scope = 'mmdet'
data_root = 'data/scenes/'
shapes = ('arrow', 'circle', 'crescent', 'cross', 'heart', 'square', 'star', 'triangle')

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(64, 64)),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]
scenes = dict(type='CocoDataset', data_root=data_root, metainfo=dict(classes=shapes))
in_order = dict(batch_size=50, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        **scenes,
        ann_file='annotations/instances_train.json',
        data_prefix=dict(img='train/images/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    **in_order,
    dataset=dict(
        **scenes,
        ann_file='annotations/instances_tune.json',
        data_prefix=dict(img='tune/images/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    **in_order,
    dataset=dict(
        **scenes,
        ann_file='annotations/instances_val.json',
        data_prefix=dict(img='val/images/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
metric = dict(type='CocoMetric', metric=['bbox', 'segm'])
val_evaluator = dict(**metric, ann_file=data_root + 'annotations/instances_tune.json')
test_evaluator = dict(**metric, ann_file=data_root + 'annotations/instances_val.json')
