"""ViT-B/16 from scratch with MAE's own recipe: batch 4096, weight decay 0.3, 300 epochs
(arXiv:2111.06377, appendix A.2, as mmpretrain's vit-base-p16_32xb128-mae config has it).

An average of the weights (0.9999) is evaluated.

Command: bash tools/dist_train.sh
    configs/classification/scratch-mae_vit-base-p16_32xb128-amp-coslr-300e_in1k.py 32
The paper's number: not in our copy.
"""

_base_ = 'scratch_vit-base-p16_8xb128-amp-coslr-300e_in1k.py'

optim_wrapper = dict(optimizer=dict(lr=1.6e-3, betas=(0.9, 0.95), weight_decay=0.3))
auto_scale_lr = dict(base_batch_size=4096)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, begin=0, end=20, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=1e-5, begin=20, convert_to_iter_based=True),
]
custom_hooks = [dict(type='mmmim.WeightAverageHook', momentum=1e-4)]
