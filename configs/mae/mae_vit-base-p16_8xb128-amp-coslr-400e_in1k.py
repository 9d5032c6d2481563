"""MAE, ViT-B/16, 400 epochs as re-implemented for C-MAE (its Table 2).

Command: bash tools/dist_train.sh configs/mae/mae_vit-base-p16_8xb128-amp-coslr-400e_in1k.py 8
That paper's number: 83.2 fine-tuned.
"""

_base_ = 'mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

train_cfg = dict(max_epochs=400)
