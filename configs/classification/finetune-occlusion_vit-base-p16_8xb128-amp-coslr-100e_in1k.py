"""Fine-tuning of ViT-B as in the occlusion-invariant paper (R-MAE, C-MAE; section 5).

As MAE's, with base lr 1e-3 instead of 5e-4.

Command: bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth, where THIS is
    configs/classification/finetune-occlusion_vit-base-p16_8xb128-amp-coslr-100e_in1k.py
That paper's numbers: MAE 83.1, R-MAE 82.7, C-MAE 82.9 after 100 epochs of pre-training.
"""

_base_ = 'finetune_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

optim_wrapper = dict(optimizer=dict(lr=4e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=2.5e-4, begin=5, convert_to_iter_based=True),
]
