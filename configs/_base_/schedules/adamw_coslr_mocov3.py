"""MoCo v3's schedule: warm-up of 40 epochs from 0, cosine to 0, weight decay 0.1 on everything.

lr = 1.5e-4 * 4096 / 256.
"""

_base_ = 'adamw_coslr_pretrain.py'

optim_wrapper = dict(
    type='mmmim.AmpOptimWrapper',
    optimizer=dict(betas=(0.9, 0.999), weight_decay=0.1),
    paramwise_cfg=dict(flat_decay_mult=1.0, pos_embed_decay_mult=1.0, token_decay_mult=1.0),
)
train_cfg = dict(max_epochs=300)
