"""The tokenizer of CAE trained on ImageNet-1K: a discrete VAE at 112 px, 8192 tokens of 8x8 pixels.

Sizes are those of CAE's released code (furnace/utils.py). Its training is not released: distance,
temperatures and rate are DALLE-pytorch's defaults; batch, length, cosine and KL term are ours. The
tokenizer is work_dirs/dvae/tokenizer.pth.

Command: bash tools/dist_train.sh
    configs/cae/cae-tokenizer_cnn-base-p8_8xb128-coslr-20e_in1k-112px.py 8
The paper's number: not in our copy.
"""

_base_ = [
    '../_base_/datasets/imagenet_pretrain_224.py',
    '../_base_/schedules/adam_coslr_dvae.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'
work_dir = 'work_dirs/dvae'

model = dict(
    type='mmmim.TokenizerTraining',
    backbone=dict(
        type='mmmim.DiscreteVAE',
        img_size=112,
        patch_size=8,
        num_tokens=8192,
        codebook_dims=512,
        hidden_dims=256,
        num_blocks=2,
    ),
)
data_preprocessor = dict(normalize=[])
train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=112, scale=(0.08, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
        ]
    ),
)
default_hooks = dict(checkpoint=dict(encoder=False))
auto_scale_lr = dict(base_batch_size=1024)
