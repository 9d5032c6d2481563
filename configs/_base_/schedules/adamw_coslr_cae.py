"""Pre-training schedule of CAE: 300 epochs, 10 of them warm-up; 20 of 800 and 40 of 1600.

arXiv:2202.03026, section 4.1, and the released scripts: the rate rises from 0 and falls to 1e-5, at
each optimizer update; gradients are clipped at 3; class and mask token are decayed.
"""

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1.5e-3, betas=(0.9, 0.999), weight_decay=0.05, fused=True),
    clip_grad=dict(max_norm=3.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=10, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=1e-5, begin=10, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=300)
auto_scale_lr = dict(base_batch_size=2048, enable=False)
