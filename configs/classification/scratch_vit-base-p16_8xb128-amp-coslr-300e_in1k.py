"""ViT-B/16 from scratch in 300 epochs, as the recipe of 100 (occlusion-invariant paper, table 1).

Command: bash tools/dist_train.sh
    configs/classification/scratch_vit-base-p16_8xb128-amp-coslr-300e_in1k.py 8
The paper's number: 82.1.
"""

_base_ = 'scratch_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

train_cfg = dict(max_epochs=300)
