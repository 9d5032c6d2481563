"""ImageNet-100 with labels: imagenet_finetune_224.py, 100 of its classes."""

_base_ = ['./imagenet_finetune_224.py', './imagenet100_classes.py']

data_preprocessor = dict(num_classes=100)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmmim.LabelledSubset',
        dataset={{_base_.train_dataloader.dataset}},
        classes={{_base_.imagenet100}},
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mmmim.LabelledSubset',
        dataset={{_base_.val_dataloader.dataset}},
        classes={{_base_.imagenet100}},
    ),
)
test_dataloader = val_dataloader
