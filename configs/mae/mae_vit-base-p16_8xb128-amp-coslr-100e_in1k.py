"""MAE, ViT-B/16, 100 epochs as re-implemented for R-MAE and C-MAE (their Tables 1 and 2).

Batch 1024, base lr 1.5e-4 per 256 images, 20 epochs of warm-up, the rest as MAE.

Command: bash tools/dist_train.sh configs/mae/mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
That paper's number: 83.1 fine-tuned.
"""

_base_ = 'mae_vit-base-p16_8xb512-amp-coslr-800e_in1k.py'

train_dataloader = dict(batch_size=128)
optim_wrapper = dict(optimizer=dict(lr=6e-4))
auto_scale_lr = dict(base_batch_size=1024)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=20, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=20, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=100)
