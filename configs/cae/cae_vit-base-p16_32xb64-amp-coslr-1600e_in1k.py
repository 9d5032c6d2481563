"""CAE, ViT-B/16, 1600 epochs on ImageNet-1K, tokens of DALL-E.

Command: bash tools/dist_train.sh
    configs/cae/cae_vit-base-p16_32xb64-amp-coslr-1600e_in1k.py 32
The paper's numbers (Tables 1 and 3): fine-tuned 83.9, linear 70.4, attentive 77.1, ADE20K 50.2.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=40, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=1e-5, begin=40, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=1600)
