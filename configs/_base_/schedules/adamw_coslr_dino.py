"""DINO's schedule: warm-up of 10 epochs, cosine to 1e-6, weight decay 0.04 to 0.4 on a cosine.

lr = 5e-4 * 1024 / 256. Biases and 1-D tensors are not decayed, each gradient is clipped by its own
norm, prototypes start in the second epoch.
"""

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=2e-3, betas=(0.9, 0.999), weight_decay=0.04, fused=True),
    paramwise_cfg=dict(flat_decay_mult=0.0, pos_embed_decay_mult=1.0, token_decay_mult=1.0),
    clip_grad=dict(type='parameter', max_norm=3.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=10, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=1e-6, begin=10, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingParamScheduler',
        param_name='weight_decay',
        eta_min_ratio=10,  # of each group's own, so that 0 stays 0
        begin=0,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(by_epoch=True, max_epochs=400)
auto_scale_lr = dict(base_batch_size=1024, enable=False)
custom_hooks = [dict(type='mmmim.HoldParametersHook', names=('neck.last_layer',), epochs=1)]
