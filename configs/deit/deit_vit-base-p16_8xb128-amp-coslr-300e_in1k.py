"""DeiT, ViT-B/16, 300 epochs with labels, without distillation (arXiv:2012.12877, table 9).

Each image three times in a row of the sampler, a third of the data per epoch; an average of the
weights (0.99996) is kept beside them, and the weights themselves are evaluated.

Command: bash tools/dist_train.sh configs/deit/deit_vit-base-p16_8xb128-amp-coslr-300e_in1k.py 8
The paper's number: not in our copy. As quoted in arXiv:2202.03026, table 1: 81.8.
"""

_base_ = [
    '../_base_/models/deit_vit-base-p16.py',
    '../_base_/datasets/imagenet_finetune_224.py',
    '../_base_/schedules/adamw_coslr_finetune.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(
    batch_size=128, sampler=dict(_delete_=True, type='RepeatAugSampler', num_repeats=3)
)
optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper', optimizer=dict(lr=1e-3), paramwise_cfg=dict(layer_decay_rate=1.0)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=1e-5, begin=5, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=300)
custom_hooks = [dict(type='mmmim.WeightAverageHook', momentum=4e-5, evaluate=False)]
