"""MAE on the embedded scenes: a small ViT at 64 px, minutes on two CPU cores.

Command: python tools/train.py configs/demo/mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'robust-mae-pixel_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

model = dict(neck=dict(drop_edge=0.0), target=dict(per_patch=True))
