"""HOG targets of the straight image from 25 % of a distorted one (Beyond Masking, MaskFeat).

Command: bash tools/dist_train.sh
    configs/mixtures/hog-distortion_vit-base-p16_8xb512-amp-coslr-800e_in1k.py 8
"""

_base_ = 'hog-dropedge_vit-base-p16_8xb512-amp-coslr-800e_in1k.py'

steps = [
    dict(type='mmmim.FisheyeDistortion'),
    dict(type='mmmim.RandomMasking', patch_size=16, mask_ratio=0.75),
]
model = dict(corruption=dict(_delete_=True, type='mmmim.CorruptionSequence', steps=steps))
