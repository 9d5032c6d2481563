"""Attentive probe of CAE's ViT-L (arXiv:2202.03026, table 1); the probe has the encoder's 16 heads
[ours: 12 do not divide 1024].

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper's number, 1600 epochs: 81.2 with either tokenizer.
"""

_base_ = 'attentive-cae_vit-base-p16_32xb256-amp-coslr-90e_in1k.py'

model = dict(
    backbone=dict(arch='large', frozen_stages=24), head=dict(in_channels=1024, num_heads=16)
)
