"""C-MAE with BYOL's loss, ViT-B/16, 100 epochs (Table 4).

Command: bash tools/dist_train.sh
    configs/c_mae/c-mae-byol_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
The paper's number: 26.9 linear probe, 82.8 fine-tuned, 65.2 on 10 % of the labels (Table 4).
"""

_base_ = 'c-mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(loss=dict(_delete_=True, type='mmmim.CosineDistanceLoss'))
