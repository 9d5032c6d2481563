"""The unlabelled scenes, one crop at 64 px for the encoder and at 32 px for the tokenizer."""

_base_ = 'scenes_pretrain_64.py'

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomFlip', prob=0.5),
            dict(
                type='mmmim.RandomResizedCropViews',
                size=64,
                scale=(0.5, 1.0),
                views=dict(tokenizer=dict(size=32, interpolation='lanczos')),
            ),
        ],
    ),
)
