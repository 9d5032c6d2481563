"""Short trainings on the labelled scenes: cosine after two epochs of warm-up, evaluated once at
the end."""

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-3, betas=(0.9, 0.999), weight_decay=0.05, fused=True),
    paramwise_cfg=dict(token_decay_mult=0.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, begin=0, end=2, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=2, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=60, val_begin=1000)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=32, enable=False)
custom_hooks = [dict(type='mmmim.FinalEvaluationHook')]
