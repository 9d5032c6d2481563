"""CAE, ViT-B/16, 300 epochs, weight 1.5 of the alignment loss.

Command: bash tools/dist_train.sh
    configs/cae/cae-lambda1p5_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's number: linear 63.7.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(align_weight=1.5)
