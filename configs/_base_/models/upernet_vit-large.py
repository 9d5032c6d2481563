"""UperNet on a plain ViT-L: blocks 7, 11, 15, 23, heads of 1024 channels."""

_base_ = ['./upernet_vit-base.py']

model = dict(
    backbone=dict(arch='large', out_indices=(7, 11, 15, 23), drop_path_rate=0.15),
    neck=dict(in_channels=1024),
    decode_head=dict(in_channels=[1024] * 4, channels=1024),
    auxiliary_head=dict(in_channels=1024),
)
