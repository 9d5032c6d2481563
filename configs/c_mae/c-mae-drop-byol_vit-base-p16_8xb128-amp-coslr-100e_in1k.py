"""C-MAE without mask tokens and with BYOL's loss, ViT-B/16, 100 epochs (Table 4).

Command: bash tools/dist_train.sh
    configs/c_mae/c-mae-drop-byol_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
The paper's number: 55.2 linear probe, 82.5 fine-tuned, 66.1 on 10 % of the labels (Table 4).
"""

_base_ = 'c-mae-drop_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(loss=dict(_delete_=True, type='mmmim.CosineDistanceLoss'))
