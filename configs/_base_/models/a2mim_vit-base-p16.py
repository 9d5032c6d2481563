"""A2MIM with a ViT-B/16: masked patches in the image's mean colour, the mask token added to them,
and a second loss on the spectrum of the whole image.

arXiv:2205.13943; the rest is SimMIM.
"""

_base_ = 'simmim_vit-base-p16.py'

model = dict(
    corruption=dict(
        _delete_=True,
        type='mmmim.MeanColorFilling',
        masking=dict(
            type='mmmim.RandomMasking', patch_size=16, unit=32, mask_ratio=0.6, rounding='masked'
        ),
    ),
    backbone=dict(masked='add'),
    neck=dict(predict='all'),
    loss=dict(
        _delete_=True,
        type='mmmim.WeightedLoss',
        losses=[
            dict(type='mmmim.MaskedRegressionLoss', p=1, eps=1e-5),
            dict(type='mmmim.FocalFrequencyLoss', patch_size=16),
        ],
        weights=[1.0, 0.1],
    ),
)
