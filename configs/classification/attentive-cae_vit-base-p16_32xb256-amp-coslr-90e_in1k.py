"""Attentive probe of CAE's ViT-B (arXiv:2202.03026, table 1).

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper's numbers with DALL-E's tokens, 300, 800, 1600 epochs: 73.8, 75.9, 77.1; with its own
d-VAE, 1600: 77.4.
"""

_base_ = 'attentive_vit-base-p16_32xb256-amp-coslr-90e_in1k.py'

model = dict(
    backbone=dict(
        type='mmmim.MaskedBEiT', pos_embed='sincos_row_first', rel_pos='none', masked='drop'
    )
)
