"""CAE, ViT-B/16, 300 epochs, 40 % = 78 of 196 patches hidden (Table 5).

Command: bash tools/dist_train.sh
    configs/cae/cae-mask40_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's numbers (Table 5): linear 63.1, attentive 73.0, ADE20K 47.2.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(corruption=dict(mask_ratio=0.4))
