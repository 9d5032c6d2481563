"""Linear probing of facebookresearch/mae and CAE: LARS, 90 epochs, 10 of them warm-up from 0.

lr = 0.1 * 16384 / 256, no weight decay. Every process has batch statistics of its own, as there;
they are averaged before validation.
"""

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='mmmim.LARS', lr=6.4, momentum=0.9, weight_decay=0.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=10, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=10, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=90, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=16384, enable=False)
custom_hooks = [dict(type='SyncBuffersHook')]
