"""Pre-training schedule of facebookresearch/mae: 800 epochs, 40 of them warm-up.

The rate is set at each optimizer update. lr = 1.5e-4 * 4096 / 256.
"""

optim_wrapper = dict(
    type='mmmim.OptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=2.4e-3, betas=(0.9, 0.95), weight_decay=0.05, fused=True),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=40, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=40, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=800)
auto_scale_lr = dict(base_batch_size=4096, enable=False)
