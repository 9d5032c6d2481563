"""MoCo v3, ViT-B/16, 300 epochs on ImageNet-1K (arXiv:2104.02057).

Command: bash tools/dist_train.sh
    configs/mocov3/mocov3_vit-base-p16_32xb128-amp-coslr-300e_in1k.py 32
The paper's number: not in our copy. As quoted in arXiv:2202.03026, table 1: linear probe 76.2,
attentive probe 77.0, fine-tuned 83.0.
"""

_base_ = [
    '../_base_/models/mocov3_vit-base-p16.py',
    '../_base_/datasets/imagenet_two_views_224.py',
    '../_base_/schedules/adamw_coslr_mocov3.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

train_dataloader = dict(batch_size=128)
