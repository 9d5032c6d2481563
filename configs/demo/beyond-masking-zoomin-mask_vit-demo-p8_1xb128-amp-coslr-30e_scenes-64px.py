"""Beyond Masking (a) + (m) on the embedded scenes: zoom-in and 75 % masking.

Command: python tools/train.py
    configs/demo/beyond-masking-zoomin-mask_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'beyond-masking-zoomin_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(
    corruption=dict(
        _delete_=True,
        type='mmmim.CorruptionSequence',
        steps=[
            dict(type='mmmim.ZoomIn', patch_size=8),
            dict(type='mmmim.RandomMasking', patch_size=8, mask_ratio=0.75),
        ],
    ),
    neck=dict(mask_tokens=True),
)
