"""Pre-training schedule of SimMIM (arXiv:2111.09886): 800 epochs, 10 of them warm-up, a tenth of
the rate from epoch 700. lr = 1e-4 * 2048 / 512.

As in its code, mask tokens are decayed, class tokens and the position tables of Swin are not.
"""

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=4e-4, betas=(0.9, 0.999), weight_decay=0.05, fused=True),
    clip_grad=dict(max_norm=5.0),
    paramwise_cfg=dict(custom_keys={'cls_token': dict(decay_mult=0.0)}),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=5e-3, begin=0, end=10, convert_to_iter_based=True),
    dict(type='MultiStepLR', milestones=[700], gamma=0.1),
]
train_cfg = dict(by_epoch=True, max_epochs=800)
auto_scale_lr = dict(base_batch_size=2048, enable=False)
