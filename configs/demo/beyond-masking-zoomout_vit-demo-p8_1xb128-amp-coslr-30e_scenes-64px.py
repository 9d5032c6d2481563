"""Beyond Masking (b) zoom-out on the embedded scenes: 48 px amid their mirror images.

Command: python tools/train.py
    configs/demo/beyond-masking-zoomout_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'beyond-masking-mask_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(
    corruption=dict(_delete_=True, type='mmmim.ZoomOut', size=64, patch_size=8),
    neck=dict(mask_tokens=False, predict='all'),
    target=dict(type='mmmim.ZoomTarget'),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=48, scale=(0.5, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
        ]
    )
)
