"""The unlabelled scenes, 64 px, two views coloured as MoCo v3's.

Crops keep at least 30 % of an image and blur is narrower, as the images are smaller [ours].
"""

_base_ = 'scenes_pretrain_64.py'

data_preprocessor = dict(normalize=('view1', 'view2'))
crop = dict(type='mmmim.RandomResizedCrop', size=64, scale=(0.3, 1.0))
colours = [
    dict(type='mmmim.ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8),
    dict(type='mmmim.RandomGrayscale', prob=0.2),
]
flip = dict(type='mmmim.RandomFlip', prob=0.5)
view1 = [crop, *colours, dict(type='mmmim.GaussianBlur', sigma=(0.1, 0.6), prob=1.0), flip]
view2 = [
    crop,
    *colours,
    dict(type='mmmim.GaussianBlur', sigma=(0.1, 0.6), prob=0.1),
    dict(type='mmmim.Solarize', prob=0.2),
    flip,
]
train_dataloader = dict(
    dataset=dict(
        pipeline=[dict(type='mmmim.MultiView', views=dict(view1=view1, view2=view2))],
    ),
)
