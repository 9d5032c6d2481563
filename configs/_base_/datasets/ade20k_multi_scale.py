"""Multi-scale testing, tools/test.py --tta: short sides of 256 to 896, each also mirrored.

Scores are averaged after the softmax. No number of a paper that this project follows uses it.
"""

scales = [(2048 * step // 4, 512 * step // 4) for step in (2, 3, 4, 5, 6, 7)]
tta_model = dict(type='SegTTAModel')
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale=scale, keep_ratio=True) for scale in scales],
            [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackSegInputs')],
        ],
    ),
]
