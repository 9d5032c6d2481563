"""CAE, ViT-B/16, 300 epochs, 60 % = 118 of 196 patches hidden (Table 5).

Command: bash tools/dist_train.sh
    configs/cae/cae-mask60_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's numbers (Table 5): linear 64.8, attentive 74.2, ADE20K 48.1.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(corruption=dict(mask_ratio=0.6))
