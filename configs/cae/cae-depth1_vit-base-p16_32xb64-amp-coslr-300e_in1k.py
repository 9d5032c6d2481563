"""CAE, ViT-B/16, 300 epochs, 1 block in regressor and decoder each (Table 6).

Command: bash tools/dist_train.sh
    configs/cae/cae-depth1_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's numbers (Table 6): linear 58.7, attentive 67.5.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(neck=dict(regressor_depth=1, decoder_depth=1))
