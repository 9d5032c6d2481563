"""Food-101 with its own train and test lists, read as ImageNet for fine-tuning."""

_base_ = 'imagenet_finetune_224.py'

data_root = 'data/food-101'
data_preprocessor = dict(num_classes=101)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='Food101',
        data_root=data_root,
        split='train',
        pipeline={{_base_.train_pipeline}},
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='Food101',
        data_root=data_root,
        split='test',
        pipeline={{_base_.test_pipeline}},
    ),
)
test_dataloader = val_dataloader
