"""CAE, ViT-B/16, 300 epochs on ImageNet-1K, tokens of DALL-E.

Command: bash tools/dist_train.sh
    configs/cae/cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's numbers (Tables 1 and 3): fine-tuned 83.6, linear 64.1, attentive 73.8, ADE20K 48.3.
"""

_base_ = [
    '../_base_/models/cae_vit-base-p16.py',
    '../_base_/datasets/imagenet_tokenizer_224.py',
    '../_base_/schedules/adamw_coslr_cae.py',
    '../_base_/default_runtime.py',
]

default_scope = 'mmpretrain'

train_dataloader = dict(batch_size=64)
