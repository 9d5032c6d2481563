"""Mask R-CNN with a plain ViT (Li et al. 2021, arXiv:2111.11429): 100 epochs of COCO, batch 64.

Iterations, so that the warm-up of a quarter of an epoch is exact: 118287 images / 64 = 1848.2.
"""

optim_wrapper = dict(
    type='mmmim.OptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=8e-5, betas=(0.9, 0.999), weight_decay=0.1, fused=True),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=False, begin=0, end=462),
    dict(type='CosineAnnealingLR', eta_min=0.0, by_epoch=False, begin=462),
]
train_cfg = dict(by_epoch=False, max_iters=184375, val_interval=7375)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(base_batch_size=64, enable=False)
