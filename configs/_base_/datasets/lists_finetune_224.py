"""Class folders with lists of `path label`, read as ImageNet for fine-tuning.

tools/dataset_converters/image_lists.py `check` reads both lists before a run does.
"""

_base_ = 'imagenet_finetune_224.py'

data_root = 'data/clipart'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=data_root,
        ann_file='meta/train.txt',
        pipeline={{_base_.train_pipeline}},
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=data_root,
        ann_file='meta/val.txt',
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader
