"""MAE, ViT-B/16, 1600 epochs on ImageNet-1K (arXiv:2111.06377).

Command: bash tools/dist_train.sh configs/mae/mae_vit-base-p16_8xb512-amp-coslr-1600e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = 'mae_vit-base-p16_8xb512-amp-coslr-800e_in1k.py'

train_cfg = dict(max_epochs=1600)
