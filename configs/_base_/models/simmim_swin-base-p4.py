"""SimMIM with a Swin-B at 192 px: a cell is 32 px, what a token of the last stage covers.

arXiv:2111.09886, sections 3 and 4.1.
"""

model = dict(
    type='mmmim.MaskedImageModeling',
    corruption=dict(type='mmmim.RandomMasking', patch_size=32, mask_ratio=0.6, rounding='masked'),
    backbone=dict(
        type='mmmim.MaskedSwin',
        arch='base',
        img_size=192,
        patch_size=4,
        drop_path_rate=0.0,
        window_size=6,
    ),
    neck=dict(type='mmmim.LinearDecoder', in_dims=1024, out_dims=3072, num_prefix=0, init='torch'),
    target=dict(type='mmmim.PixelTarget', patch_size=32, normalize='rgb', per_patch=False),
    loss=dict(type='mmmim.MaskedRegressionLoss', p=1, eps=1e-5),
)
