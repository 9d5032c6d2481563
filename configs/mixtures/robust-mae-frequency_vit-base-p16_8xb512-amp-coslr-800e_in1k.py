"""Robust MAE with A2MIM's loss on the spectrum of the whole image beside the pixels.

Command: bash tools/dist_train.sh
    configs/mixtures/robust-mae-frequency_vit-base-p16_8xb512-amp-coslr-800e_in1k.py 8
"""

_base_ = '../robust_mae/robust-mae_vit-base-p16_8xb512-amp-coslr-800e_in1k.py'

losses = [
    dict(type='mmmim.MaskedRegressionLoss', p=2),
    dict(type='mmmim.FocalFrequencyLoss', patch_size=16),
]
loss = dict(_delete_=True, type='mmmim.WeightedLoss', losses=losses, weights=[1.0, 0.1])
model = dict(neck=dict(predict='all'), target=dict(per_patch=False), loss=loss)
