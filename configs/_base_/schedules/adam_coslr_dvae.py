"""Training of a discrete VAE: Adam at 1e-3, temperature of the tokens from 0.9 to 0.5.

Rate and temperatures follow DALLE-pytorch's defaults. The cosine is ours, and so is the weight of
the KL term, which falls to the 0 of those defaults: with 0 from the start most tokens stay unused.
"""

optim_wrapper = dict(
    type='mmmim.OptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='Adam', lr=1e-3, betas=(0.9, 0.999), fused=True),
)
param_scheduler = [dict(type='CosineAnnealingLR', eta_min=0.0, convert_to_iter_based=True)]
train_cfg = dict(by_epoch=True, max_epochs=20)
auto_scale_lr = dict(base_batch_size=1024, enable=False)
custom_hooks = [
    dict(
        type='mmmim.AttributeScheduleHook',
        name='temperature',
        start=0.9,
        end=0.5,
        curve='exponential',
    ),
    dict(type='mmmim.AttributeScheduleHook', name='kl_weight', start=2e-3, end=0.0, curve='linear'),
    dict(type='mmmim.TokenizerFileHook', name='tokenizer.pth'),
]
