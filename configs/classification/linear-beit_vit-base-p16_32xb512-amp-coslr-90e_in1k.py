"""Linear probe of BEiT's ViT-B, as CAE's table 1 compares it: shared relative positions.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number, 300 epochs, in arXiv:2202.03026, table 1: 37.6.
"""

_base_ = 'linear_vit-base-p16_32xb512-amp-coslr-90e_in1k.py'

model = dict(
    backbone=dict(type='mmmim.MaskedBEiT', pos_embed='none', rel_pos='shared', masked='drop')
)
