"""CAE on the embedded scenes, target: pixels normalised per patch (Table 9 of CAE); no tokenizer.

Command: python tools/train.py
    configs/demo/cae-rgb_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'cae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(
    neck=dict(out_dims=192),
    target=dict(
        _delete_=True, type='mmmim.PixelTarget', patch_size=8, normalize='rgb', per_patch=True
    ),
    loss=dict(_delete_=True, type='mmmim.MaskedRegressionLoss', p=2),
)
