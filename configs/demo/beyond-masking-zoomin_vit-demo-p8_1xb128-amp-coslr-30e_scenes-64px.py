"""Beyond Masking (a) zoom-in on the embedded scenes: 64 of 80 px are seen, nothing is masked.

Command: python tools/train.py
    configs/demo/beyond-masking-zoomin_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'beyond-masking-mask_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(
    corruption=dict(_delete_=True, type='mmmim.ZoomIn', patch_size=8),
    neck=dict(mask_tokens=False, predict='all'),
    target=dict(type='mmmim.ZoomTarget'),
    loss=dict(
        _delete_=True,
        type='mmmim.WeightedLoss',
        losses=[dict(type='mmmim.MaskedRegressionLoss', p=2), dict(type='mmmim.BorderLoss')],
        weights=[0.8, 0.2],
    ),
)
data_preprocessor = dict(normalize=['image', 'wide'])
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=80, scale=(0.5, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
            dict(
                type='mmmim.MultiView',
                views=dict(wide=[], image=[dict(type='mmmim.CenterCrop', size=64)]),
            ),
        ]
    )
)
