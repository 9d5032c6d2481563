"""Beyond Masking, (c) distortion and 75 % masking. ViT-B/16, 300 epochs on ImageNet-1K.

No number for it in our copies.

Command: bash tools/dist_train.sh
    configs/beyond_masking/beyond-masking-distortion-mask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py
    16
"""

_base_ = 'beyond-masking-mask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

model = dict(
    corruption=dict(
        _delete_=True,
        type='mmmim.CorruptionSequence',
        steps=[
            dict(type='mmmim.FisheyeDistortion'),
            dict(type='mmmim.RandomMasking', patch_size=16, mask_ratio=0.75),
        ],
    ),
)
