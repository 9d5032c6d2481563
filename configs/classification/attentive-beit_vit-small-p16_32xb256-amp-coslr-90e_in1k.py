"""Attentive probe of a BEiT ViT-S, as CAE's table 1 compares it.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number in arXiv:2202.03026, table 1: 23.6.
"""

_base_ = 'attentive-beit_vit-base-p16_32xb256-amp-coslr-90e_in1k.py'

model = dict(backbone=dict(arch='small'), head=dict(in_channels=384))
