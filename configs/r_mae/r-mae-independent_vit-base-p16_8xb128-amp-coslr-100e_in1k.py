"""R-MAE, ViT-B/16, with a second view that hides 25 % of the patches at random (dagger of Table 1).

Command: bash tools/dist_train.sh
    configs/r_mae/r-mae-independent_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
The paper's number: 82.8 fine-tuned, PSNR 23.0 dB (Table 1).
"""

_base_ = 'r-mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(second='independent', second_mask_ratio=0.25)
