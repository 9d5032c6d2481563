"""CAE, ViT-B/16, 300 epochs, a linear layer instead of the decoder, no alignment (Table 2).

Command: bash tools/dist_train.sh
    configs/cae/cae-nodecoder-noalign_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's numbers (Table 2): attentive 71.2, ADE20K 47.0, COCO 46.9.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(align_weight=0.0, neck=dict(decoder_depth=0))
