"""CAE, ViT-S/16, with the released defaults of regressor and decoder: 768 wide, projected to.

Command: bash tools/dist_train.sh
    configs/cae/cae-decoder768_vit-small-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's number: not in our copy for this width.
"""

_base_ = 'cae_vit-small-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(neck=dict(embed_dims=768))
