"""Beyond Masking (d) blur on the embedded scenes: nothing is masked.

Command: python tools/train.py
    configs/demo/beyond-masking-blur_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'beyond-masking-mask_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(
    corruption=dict(_delete_=True, type='mmmim.RandomBlur'),
    neck=dict(mask_tokens=False, predict='all'),
)
