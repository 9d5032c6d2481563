"""CAE, ViT-B/16, 300 epochs, ImageNet-normalised pixels: the model of Fig. 3, without alignment.

Command: bash tools/dist_train.sh
    configs/cae/cae-pixel-noalign_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper gives a figure, no number.
"""

_base_ = 'cae-pixel_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(align_weight=0.0)
