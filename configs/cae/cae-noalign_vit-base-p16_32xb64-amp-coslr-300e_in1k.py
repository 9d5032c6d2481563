"""CAE, ViT-B/16, 300 epochs, with the decoder and without alignment (Table 2).

Command: bash tools/dist_train.sh
    configs/cae/cae-noalign_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's numbers (Table 2): attentive 72.7, ADE20K 47.1, COCO 47.2.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(align_weight=0.0)
