"""BEiT's fine-tuning of ViT-L (arXiv:2106.08254 and the page on it in microsoft/unilm): 50 epochs,
lr 1e-3, 5 epochs of warm-up.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number: not in our copy.
"""

_base_ = 'finetune-beit_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(
    backbone=dict(arch='large', drop_path_rate=0.2, layer_scale_init_value=1e-5),
    head=dict(in_channels=1024),
)
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=1e-3), paramwise_cfg=dict(layer_decay_rate=0.75))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=1e-3, begin=5, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=50)
