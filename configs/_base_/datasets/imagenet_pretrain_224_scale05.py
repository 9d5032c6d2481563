"""As imagenet_pretrain_224.py with milder crops: scale (0.5, 1) as Robust MAE uses for ViT-B."""

_base_ = ['./imagenet_pretrain_224.py']

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=224, scale=(0.5, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
        ],
    ),
)
