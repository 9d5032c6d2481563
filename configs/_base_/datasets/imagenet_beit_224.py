"""ImageNet-1K as BEiT pre-trains on it: colour jitter, flips, and one crop of 8 to 100 % of the
area at 224 px for the encoder and at 112 px for the tokenizer (arXiv:2106.08254, section 2.5)."""

_base_ = ['./imagenet_pretrain_224.py']

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4),
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
