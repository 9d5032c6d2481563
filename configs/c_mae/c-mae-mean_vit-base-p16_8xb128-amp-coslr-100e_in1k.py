"""C-MAE, ViT-B/16, 100 epochs, loss on the mean of the patch tokens (Table 3).

Command: bash tools/dist_train.sh
    configs/c_mae/c-mae-mean_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
The paper's number: 82.6 fine-tuned (Table 3).
"""

_base_ = 'c-mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(tokens='mean')
