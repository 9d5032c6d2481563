"""MoCo v3, its ViT-S/16, 300 epochs at the released batch of 1024 (arXiv:2104.02057).

Command: bash tools/dist_train.sh
    configs/mocov3/mocov3_vit-small-p16_8xb128-amp-coslr-300e_in1k.py 8
The paper's number: not in our copy.
"""

_base_ = 'mocov3_vit-small-p16_32xb128-amp-coslr-300e_in1k.py'

optim_wrapper = dict(optimizer=dict(lr=6e-4))
auto_scale_lr = dict(base_batch_size=1024)
