"""ImageNet-1K without labels: random resized crops of 224 px, flips (MAE, arXiv:2111.06377, A.1).

Any folder of images will do: --cfg-options train_dataloader.dataset.data_root=FOLDER
"""

data_preprocessor = dict(
    type='mmmim.ViewsPreprocessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
)

train_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    prefetch_factor=4,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='mmmim.EpochSampler', shuffle=True),
    collate_fn=dict(type='mmmim.collate_views'),
    worker_init_fn=dict(type='mmmim.worker_init'),
    dataset=dict(
        type='mmmim.ImageFolder',
        data_root='data/imagenet/train',
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=224, scale=(0.2, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
        ],
    ),
)
