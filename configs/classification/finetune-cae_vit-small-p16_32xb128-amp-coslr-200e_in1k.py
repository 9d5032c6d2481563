"""CAE's fine-tuning of ViT-S (arXiv:2202.03026, appendix): 200 epochs, lr 1.6e-2, decay 0.75.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

The paper's number, table 1, 300 epochs: 82.0.
"""

_base_ = 'finetune-cae_vit-base-p16_32xb128-amp-coslr-100e_in1k.py'

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True, embed_dims=384, num_layers=12, num_heads=12, feedforward_channels=1536
        )
    ),
    head=dict(in_channels=384),
)
optim_wrapper = dict(optimizer=dict(lr=1.6e-2), paramwise_cfg=dict(layer_decay_rate=0.75))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=6.25e-5, begin=5, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=200)
