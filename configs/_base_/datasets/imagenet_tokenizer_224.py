"""ImageNet-1K without labels: one crop at 224 px for the encoder and at 112 px for the tokenizer.

Flip, then crop of 8 to 100 % of the area, bicubic and Lanczos (CAE, arXiv:2202.03026, section 4.1,
and the released code).
"""

_base_ = 'imagenet_pretrain_224.py'

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomFlip', prob=0.5),
            dict(
                type='mmmim.RandomResizedCropViews',
                size=224,
                scale=(0.08, 1.0),
                views=dict(tokenizer=dict(size=112, interpolation='lanczos')),
            ),
        ],
    ),
)
