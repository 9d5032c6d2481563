"""Linear probe of CAE's ViT-B (arXiv:2202.03026, table 1): MAE's recipe on CAE's blocks.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper's numbers with DALL-E's tokens, 300, 800, 1600 epochs: 64.1, 68.6, 70.4; with its own
d-VAE, 1600: 71.4.
"""

_base_ = 'linear_vit-base-p16_32xb512-amp-coslr-90e_in1k.py'

model = dict(
    backbone=dict(
        type='mmmim.MaskedBEiT', pos_embed='sincos_row_first', rel_pos='none', masked='drop'
    )
)
