"""MaskFeat with a ViT-B/16: 78 of 196 patches replaced in blocks, their gradients regressed.

arXiv:2112.09133; the head is the backbone's last norm and a linear layer.
"""

model = dict(
    type='mmmim.MaskedImageModeling',
    corruption=dict(type='mmmim.BlockMasking', patch_size=16, num_masked=78, min_patches=15),
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=224,
        patch_size=16,
        out_type='raw',
        pos_embed='learned',
        masked='replace',
        init='trunc_normal',
    ),
    neck=dict(type='mmmim.LinearDecoder', in_dims=768, out_dims=108),
    target=dict(type='mmmim.HOGTarget', patch_size=16, bins=9, pool=8),
    loss=dict(type='mmmim.MaskedRegressionLoss', p=2),
)
