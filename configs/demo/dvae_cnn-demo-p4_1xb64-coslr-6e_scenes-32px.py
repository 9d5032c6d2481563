"""A discrete VAE on the embedded scenes: the tokenizer of the small CAE, BEiT and SplitMask.

Tokens of 4x4 pixels at 32 px, so that they lie on the 8x8 grid of the patches at 64 px. Minutes on
one CPU core; the tokenizer is work_dirs/dvae_demo/tokenizer.pth.

Command: python tools/train.py configs/demo/dvae_cnn-demo-p4_1xb64-coslr-6e_scenes-32px.py
"""

_base_ = [
    '../_base_/datasets/scenes_pretrain_64.py',
    '../_base_/schedules/adam_coslr_dvae.py',
    '../_base_/default_runtime.py',
]
default_scope = 'mmpretrain'
work_dir = 'work_dirs/dvae_demo'

model = dict(
    type='mmmim.TokenizerTraining',
    backbone=dict(
        type='mmmim.DiscreteVAE',
        img_size=32,
        patch_size=4,
        num_tokens=64,
        codebook_dims=32,
        hidden_dims=32,
        num_blocks=1,
    ),
)
data_preprocessor = dict(normalize=[])
train_dataloader = dict(
    batch_size=64,
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=32, scale=(0.5, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
        ]
    ),
)
default_hooks = dict(checkpoint=dict(encoder=False))
optim_wrapper = dict(optimizer=dict(lr=6e-3))
auto_scale_lr = dict(base_batch_size=64)
train_cfg = dict(max_epochs=6)
