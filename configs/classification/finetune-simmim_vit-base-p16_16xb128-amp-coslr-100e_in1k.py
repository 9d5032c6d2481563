"""SimMIM's fine-tuning of ViT-B (arXiv:2111.09886, its code): batch 2048, lr 5e-3, decay 0.65.

Relative positions as in BEiT's fine-tuning; clipped at 5. For SimMIM's and A2MIM's encoders.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number: not in our copy.
"""

_base_ = 'finetune-beit_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

optim_wrapper = dict(optimizer=dict(lr=5e-3), clip_grad=dict(max_norm=5.0))
auto_scale_lr = dict(base_batch_size=2048)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=20, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=2e-4, begin=20, convert_to_iter_based=True),
]
