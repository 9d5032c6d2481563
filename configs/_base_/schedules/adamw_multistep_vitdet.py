"""ViTDet (arXiv:2203.16527): 100 epochs of COCO in batches of 64, steps after 89 % and 96 %.

Values of detectron2's projects/ViTDet. There biases and relative positions are decayed, norms and
absolute positions are not; here biases are not decayed either.
"""

optim_wrapper = dict(
    type='mmmim.OptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.1, fused=True),
    paramwise_cfg=dict(layer_decay_rate=0.7, custom_keys=dict(rel_pos=dict(decay_mult=1.0))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=False, begin=0, end=250),
    dict(type='MultiStepLR', by_epoch=False, milestones=[163889, 177546], gamma=0.1),
]
train_cfg = dict(by_epoch=False, max_iters=184375, val_interval=7375)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
auto_scale_lr = dict(base_batch_size=64, enable=False)
