"""The labelled scenes as label maps, 64 px, background a class: choices on tune, results on val."""

default_scope = 'mmseg'
shapes = ('arrow', 'circle', 'crescent', 'cross', 'heart', 'square', 'star', 'triangle')
palette = [[120, 120, 120], [230, 60, 60], [60, 160, 230], [240, 200, 60], [70, 180, 90]]
palette += [[230, 90, 200], [150, 100, 60], [110, 80, 200], [60, 200, 190]]
scenes = dict(
    type='BaseSegDataset',
    data_root='data/scenes/',
    img_suffix='.jpg',
    seg_map_suffix='.png',
    reduce_zero_label=False,
    metainfo=dict(classes=('background', *shapes), palette=palette),
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(64, 64), ratio_range=(0.75, 1.5), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(64, 64)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        **scenes,
        data_prefix=dict(img_path='train/images', seg_map_path='train/labels'),
        pipeline=train_pipeline,
    ),
)
in_order = dict(batch_size=50, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
val_dataloader = dict(
    **in_order,
    dataset=dict(
        **scenes,
        data_prefix=dict(img_path='tune/images', seg_map_path='tune/labels'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    **in_order,
    dataset=dict(
        **scenes,
        data_prefix=dict(img_path='val/images', seg_map_path='val/labels'),
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
