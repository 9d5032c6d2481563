"""MoCo v3, ViT-L/16, 300 epochs on ImageNet-1K with ViT-B's recipe (arXiv:2104.02057).

Command: bash tools/dist_train.sh
    configs/mocov3/mocov3_vit-large-p16_32xb128-amp-coslr-300e_in1k.py 32
The paper's number: not in our copy. As quoted in arXiv:2202.03026, table 1: fine-tuned 84.1.
"""

_base_ = 'mocov3_vit-base-p16_32xb128-amp-coslr-300e_in1k.py'

model = dict(backbone=dict(arch='large'), neck=dict(in_dims=1024))
