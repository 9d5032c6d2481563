"""Any two folders of class folders, train and val, read as ImageNet for fine-tuning."""

_base_ = 'imagenet_finetune_224.py'

data_root = 'data/folder'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=data_root,
        data_prefix='train',
        pipeline={{_base_.train_pipeline}},
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root=data_root,
        data_prefix='val',
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader
