"""ImageNet-1K without labels, two views as MoCo v3 (arXiv:2104.02057, section 4.1 and its code).

Bilinear crops of 8 % to all of the image; only the first view is always blurred, only the second
solarized.
"""

_base_ = 'imagenet_pretrain_224.py'

data_preprocessor = dict(normalize=('view1', 'view2'))
crop = dict(type='mmmim.RandomResizedCrop', size=224, scale=(0.08, 1.0), interpolation='bilinear')
colours = [
    dict(type='mmmim.ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8),
    dict(type='mmmim.RandomGrayscale', prob=0.2),
]
flip = dict(type='mmmim.RandomFlip', prob=0.5)
view1 = [crop, *colours, dict(type='mmmim.GaussianBlur', prob=1.0), flip]
view2 = [
    crop,
    *colours,
    dict(type='mmmim.GaussianBlur', prob=0.1),
    dict(type='mmmim.Solarize', prob=0.2),
    flip,
]
train_dataloader = dict(
    dataset=dict(
        pipeline=[dict(type='mmmim.MultiView', views=dict(view1=view1, view2=view2))],
    ),
)
