"""ImageNet-100 without labels: imagenet_pretrain_224.py, 100 of its classes."""

_base_ = ['./imagenet_pretrain_224.py', './imagenet100_classes.py']

train_dataloader = dict(
    dataset=dict(type='mmmim.ImageSubset', classes={{_base_.imagenet100}}),
)
