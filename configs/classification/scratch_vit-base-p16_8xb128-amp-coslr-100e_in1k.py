"""ViT-B/16 from scratch in 100 epochs with MAE's fine-tuning recipe, the baseline of C-MAE's paper.

Occlusion-invariant paper, table 1: no layer decay, stochastic depth 0.1 [not in the paper: layer
decay presumes pre-trained lower layers].

Command: bash tools/dist_train.sh
    configs/classification/scratch_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
The paper's number: 80.9.
"""

_base_ = 'finetune_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(backbone=dict(pos_embed='sincos'))
optim_wrapper = dict(optimizer=dict(lr=4e-3), paramwise_cfg=dict(layer_decay_rate=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=2.5e-4, begin=5, convert_to_iter_based=True),
]
