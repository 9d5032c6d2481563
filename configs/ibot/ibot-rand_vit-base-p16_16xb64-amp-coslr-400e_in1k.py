"""iBOT, ViT-B/16, with single cells hidden instead of blocks (arXiv:2111.07832).

Command: bash tools/dist_train.sh
    configs/ibot/ibot-rand_vit-base-p16_16xb64-amp-coslr-400e_in1k.py 16
The paper's number: not in our copy.
"""

_base_ = 'ibot_vit-base-p16_16xb64-amp-coslr-400e_in1k.py'

model = dict(corruption=dict(blocks=False))
