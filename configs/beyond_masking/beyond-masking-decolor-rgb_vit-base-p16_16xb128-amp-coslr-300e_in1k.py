"""Beyond Masking, (e) de-colour with the grey repeated over three channels [our addition].

The embedding of the patches then transfers to colour images as it is. No number for it in our
copies.

Command: bash tools/dist_train.sh
    configs/beyond_masking/beyond-masking-decolor-rgb_vit-base-p16_16xb128-amp-coslr-300e_in1k.py 16
"""

_base_ = 'beyond-masking-decolor_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

model = dict(corruption=dict(out_channels=3), backbone=dict(in_channels=3))
