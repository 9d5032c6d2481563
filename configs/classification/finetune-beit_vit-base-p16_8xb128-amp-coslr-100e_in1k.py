"""BEiT's fine-tuning of ViT-B (arXiv:2106.08254 and the page on it in microsoft/unilm).

Its shared relative positions start those of every block; no absolute ones; 20 epochs of warm-up.
For BEiT's and data2vec's encoders.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number, 300 epochs, as quoted in arXiv:2202.03026, table 1: 83.0.
"""

_base_ = 'finetune_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(
    backbone=dict(type='mmmim.MaskedBEiT', pos_embed='none', rel_pos='per_block', masked='drop')
)
optim_wrapper = dict(
    optimizer=dict(lr=4e-3),
    paramwise_cfg=dict(
        custom_keys=dict(relative_position_bias_table=dict(decay_mult=1.0))  # as its code does
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=20, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=2.5e-4, begin=20, convert_to_iter_based=True),
]
