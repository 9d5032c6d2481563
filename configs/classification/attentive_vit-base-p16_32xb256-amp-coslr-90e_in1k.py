"""Attentive probe of ViT-B (CAE, arXiv:2202.03026, section 4.1; details from its code).

For any plain ViT with a class token (MAE, MoCo v3, DINO, iBOT, DeiT). Fewer GPUs accumulate.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

That paper's numbers, table 1: MoCo v3 77.0, DINO 77.8, iBOT 79.8, MAE 71.1 (300 epochs), 74.2.
"""

_base_ = [
    '../_base_/models/vit-base_attentive.py',
    '../_base_/datasets/imagenet_attentive_224.py',
    '../_base_/schedules/sgd_coslr_attentive.py',
    '../_base_/default_runtime.py',
]
