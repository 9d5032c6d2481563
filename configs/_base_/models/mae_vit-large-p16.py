"""MAE with a ViT-L/16; the decoder is that of ViT-B (arXiv:2111.06377, appendix A.1)."""

_base_ = 'mae_vit-base-p16.py'

model = dict(backbone=dict(arch='large'), neck=dict(in_dims=1024))
