"""ImageNet-1K without labels, two global views of 224 px and ten local ones of 96 px.

As DINO (arXiv:2104.14294, section 3.1 and its code) with the scales of its released ViT-S, which
iBOT shares: global crops of 25 % to all of the image, local ones of 5 to 25 %.
"""

_base_ = 'imagenet_pretrain_224.py'

data_preprocessor = dict(normalize=('view1', 'view2', 'local'))
colours = [
    dict(type='mmmim.RandomFlip', prob=0.5),
    dict(type='mmmim.ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8),
    dict(type='mmmim.RandomGrayscale', prob=0.2),
]
large = dict(type='mmmim.RandomResizedCrop', size=224, scale=(0.25, 1.0))
small = dict(type='mmmim.RandomResizedCrop', size=96, scale=(0.05, 0.25))
views = dict(
    view1=[large, *colours, dict(type='mmmim.GaussianBlur', prob=1.0)],
    view2=[
        large,
        *colours,
        dict(type='mmmim.GaussianBlur', prob=0.1),
        dict(type='mmmim.Solarize', prob=0.2),
    ],
    local=[small, *colours, dict(type='mmmim.GaussianBlur', prob=0.5)],
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[dict(type='mmmim.MultiView', views=views, repeats=dict(local=10))],
    ),
)
