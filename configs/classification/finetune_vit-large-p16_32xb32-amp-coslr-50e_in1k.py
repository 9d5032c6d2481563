"""MAE's fine-tuning of ViT-L (arXiv:2111.06377, appendix A.1): base lr 1e-3, layer decay 0.75, 50
epochs.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number: not in our copy.
"""

_base_ = ['./finetune_vit-base-p16_8xb128-amp-coslr-100e_in1k.py']

model = dict(backbone=dict(arch='large', drop_path_rate=0.2), head=dict(in_channels=1024))
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=4e-3), paramwise_cfg=dict(layer_decay_rate=0.75))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=2.5e-4, begin=5, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=50)
