"""BEiT, ViT-B/16, 300 epochs on ImageNet-1K, the baseline of CAE's Table 1.

Command: bash tools/dist_train.sh
    configs/beit/beit_vit-base-p16_16xb128-amp-coslr-300e_in1k.py 16
CAE's number for it: 83.0 fine-tuned, 37.6 linear, 49.4 attentive.
"""

_base_ = 'beit_vit-base-p16_16xb128-amp-coslr-800e_in1k.py'

train_cfg = dict(max_epochs=300)
