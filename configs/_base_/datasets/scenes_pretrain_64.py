"""The unlabelled scenes of tools/dataset_converters/make_scenes.py, 64 px, decoded once into RAM.

10,000 images take 120 MB. Flips keep the scenes' statistics: shapes are mirrored at random in them.
"""

data_preprocessor = dict(
    type='mmmim.ViewsPreprocessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
)

train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    prefetch_factor=4,
    drop_last=True,
    sampler=dict(type='mmmim.EpochSampler', shuffle=True),
    collate_fn=dict(type='mmmim.collate_views'),
    worker_init_fn=dict(type='mmmim.worker_init'),
    dataset=dict(
        type='mmmim.ImageFolder',
        data_root='data/scenes/unlabeled',
        cache='ram',
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=64, scale=(0.5, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
        ],
    ),
)
