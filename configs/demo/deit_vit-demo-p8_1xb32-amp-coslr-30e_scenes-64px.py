"""Training with labels alone on the embedded scenes, as DeiT: class token, each image three times,
mixup or cutmix, an average of the weights beside them.

Command: python tools/train.py configs/demo/deit_vit-demo-p8_1xb32-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'finetune_vit-demo-p8_1xb32-amp-coslr-30e_scenes-64px.py'

model = dict(
    backbone=dict(out_type='cls_token', final_norm=True, init='trunc_normal'),
    head=dict(init_cfg=dict(std=0.02)),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=0.8), dict(type='CutMix', alpha=1.0)]),
)
train_dataloader = dict(sampler=dict(_delete_=True, type='RepeatAugSampler', num_repeats=3))
custom_hooks = [
    dict(type='mmmim.FinalEvaluationHook'),
    dict(type='mmmim.WeightAverageHook', momentum=1e-3, evaluate=False),
]
