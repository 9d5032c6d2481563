"""ImageNet-1K as SimMIM pre-trains on it: crops of 67 to 100 % of the area, bilinear, flips."""

_base_ = ['./imagenet_pretrain_224.py']

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(
                type='mmmim.RandomResizedCrop',
                size=224,
                scale=(0.67, 1.0),
                interpolation='bilinear',
            ),
            dict(type='mmmim.RandomFlip', prob=0.5),
        ],
    ),
)
