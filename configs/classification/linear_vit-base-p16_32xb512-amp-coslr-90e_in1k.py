"""Linear probe of ViT-B as MAE's code has it: LARS at 6.4, batch 16384.

For any plain ViT with a class token (MAE, MoCo v3, DINO, iBOT, DeiT). Fewer GPUs accumulate.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

MAE's number, 1600 epochs, as quoted in arXiv:2202.03026, table 1: 67.8.
"""

_base_ = [
    '../_base_/models/vit-base_linear.py',
    '../_base_/datasets/imagenet_linear_224.py',
    '../_base_/schedules/lars_coslr_linear.py',
    '../_base_/default_runtime.py',
]
