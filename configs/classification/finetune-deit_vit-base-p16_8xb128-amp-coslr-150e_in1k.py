"""Fine-tuning of ViT-B with DeiT's recipe in 150 epochs, as MoCo v3 does (arXiv:2104.02057).

Also for DINO [our reading]. All layers at one rate, repeated augmentation, class token.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Numbers of MoCo v3: 83.2 (its README); in arXiv:2202.03026, table 1: 83.0, DINO 83.3.
"""

_base_ = '../deit/deit_vit-base-p16_8xb128-amp-coslr-300e_in1k.py'

train_cfg = dict(max_epochs=150)
