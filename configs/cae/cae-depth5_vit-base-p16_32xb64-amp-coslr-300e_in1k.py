"""CAE, ViT-B/16, 300 epochs, 5 blocks in regressor and decoder each (Table 6).

Command: bash tools/dist_train.sh
    configs/cae/cae-depth5_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's numbers (Table 6): linear 64.2, attentive 73.7.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(neck=dict(regressor_depth=5, decoder_depth=5))
