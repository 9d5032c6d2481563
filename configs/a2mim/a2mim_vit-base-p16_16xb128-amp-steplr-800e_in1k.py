"""A2MIM, ViT-B/16, 800 epochs on ImageNet-1K (arXiv:2205.13943).

SimMIM's schedule; neither norms, biases, tokens, positions nor LayerScale are decayed.

Command: bash tools/dist_train.sh
    configs/a2mim/a2mim_vit-base-p16_16xb128-amp-steplr-800e_in1k.py 16
The paper's number: not in our copy; its repository gives 84.3 fine-tuned for this model.
"""

_base_ = [
    '../_base_/models/a2mim_vit-base-p16.py',
    '../_base_/datasets/imagenet_simmim_224.py',
    '../_base_/schedules/adamw_steplr_simmim.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'

train_dataloader = dict(batch_size=128)
optim_wrapper = dict(paramwise_cfg=dict(_delete_=True, token_decay_mult=0.0))
