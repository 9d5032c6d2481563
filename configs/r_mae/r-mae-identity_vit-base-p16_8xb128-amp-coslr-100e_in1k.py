"""R-MAE, ViT-B/16, whose second view is the whole image (double dagger of Table 1).

Command: bash tools/dist_train.sh
    configs/r_mae/r-mae-identity_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
The paper's number: 82.7 fine-tuned, PSNR 22.9 dB (Table 1).
"""

_base_ = 'r-mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(second='identity')
