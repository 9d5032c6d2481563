"""DeiT, ViT-S/16, 300 epochs with labels, without distillation (arXiv:2012.12877, table 9).

Command: bash tools/dist_train.sh configs/deit/deit_vit-small-p16_8xb128-amp-coslr-300e_in1k.py 8
The paper's number: not in our copy. As quoted in arXiv:2202.03026, table 1: 79.9.
"""

_base_ = 'deit_vit-base-p16_8xb128-amp-coslr-300e_in1k.py'

model = dict(backbone=dict(arch='small'), head=dict(in_channels=384))
