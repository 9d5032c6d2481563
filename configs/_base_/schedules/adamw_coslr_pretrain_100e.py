"""As adamw_coslr_pretrain.py, the 100 epochs of the occlusion-invariant paper (section 5).

Batch 1024, 20 epochs of warm-up. lr = 1.5e-4 * 1024 / 256.
"""

_base_ = 'adamw_coslr_pretrain.py'

optim_wrapper = dict(type='mmmim.AmpOptimWrapper', optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=20, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=20, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=100)
auto_scale_lr = dict(base_batch_size=1024)
