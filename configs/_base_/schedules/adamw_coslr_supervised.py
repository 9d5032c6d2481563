"""Supervised training with the settings of fine-tuning (occlusion-invariant paper, section 5).

lr = 1e-3 * 1024 / 256, all layers alike [our reading]: 100 epochs, 5 of them warm-up.
"""

_base_ = 'adamw_coslr_finetune.py'

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(lr=4e-3),
    paramwise_cfg=dict(layer_decay_rate=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=2.5e-4, begin=5, convert_to_iter_based=True),
]
