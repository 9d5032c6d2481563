"""iBOT's fine-tuning of ViT-L (its code): 50 epochs, 5 of warm-up, layer decay 0.75.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number: 84.8 (its README).
"""

_base_ = 'finetune-ibot_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(backbone=dict(arch='large', drop_path_rate=0.4), head=dict(in_channels=1024))
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.75))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=1e-3, begin=5, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=50)
