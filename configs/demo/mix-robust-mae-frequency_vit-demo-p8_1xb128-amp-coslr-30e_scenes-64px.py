"""Robust MAE with A2MIM's loss on the spectrum of the whole image beside the pixels.

Command: python tools/train.py
    configs/demo/mix-robust-mae-frequency_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'robust-mae-pixel_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

losses = [
    dict(type='mmmim.MaskedRegressionLoss', p=2),
    dict(type='mmmim.FocalFrequencyLoss', patch_size=8),
]
loss = dict(_delete_=True, type='mmmim.WeightedLoss', losses=losses, weights=[1.0, 0.1])
model = dict(neck=dict(predict='all'), target=dict(per_patch=False), loss=loss)
