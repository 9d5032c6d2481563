"""Pre-training schedule of BEiT (arXiv:2106.08254, section 2.5): 800 epochs, 10 of them warm-up,
half a cosine to 1e-5. lr = 1.5e-3 at batch 2048.

As in its code, mask tokens and relative position tables are decayed and class tokens are not.
"""

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1.5e-3, betas=(0.9, 0.999), weight_decay=0.05, fused=True),
    clip_grad=dict(max_norm=3.0),
    paramwise_cfg=dict(pos_embed_decay_mult=1.0, custom_keys={'cls_token': dict(decay_mult=0.0)}),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=10, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=1e-5, begin=10, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=800)
auto_scale_lr = dict(base_batch_size=2048, enable=False)
