"""The unlabelled scenes: two global views of 64 px and two local ones of 32 px.

Two local crops instead of ten keep a CPU's pace; scales and blur suit small images [ours].
"""

_base_ = 'scenes_pretrain_64.py'

data_preprocessor = dict(normalize=('view1', 'view2', 'local'))
colours = [
    dict(type='mmmim.RandomFlip', prob=0.5),
    dict(type='mmmim.ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8),
    dict(type='mmmim.RandomGrayscale', prob=0.2),
]
large = dict(type='mmmim.RandomResizedCrop', size=64, scale=(0.4, 1.0))
small = dict(type='mmmim.RandomResizedCrop', size=32, scale=(0.1, 0.4))
narrow = dict(type='mmmim.GaussianBlur', sigma=(0.1, 0.6))
views = dict(
    view1=[large, *colours, dict(narrow, prob=1.0)],
    view2=[
        large,
        *colours,
        dict(narrow, prob=0.1),
        dict(type='mmmim.Solarize', prob=0.2),
    ],
    local=[small, *colours, dict(narrow, prob=0.5)],
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[dict(type='mmmim.MultiView', views=views, repeats=dict(local=2))],
    ),
)
