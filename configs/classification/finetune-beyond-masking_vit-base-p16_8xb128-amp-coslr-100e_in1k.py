"""Fine-tuning of ViT-B as Beyond Masking's code has it: no class token, fixed 1-D sinusoid, layer
decay 0.75, lr 1e-3 at a batch of 1024 [our reading; its batch is not given].

arXiv:2203.14313. The released model does not run; this is its upstream's, pengzhiliang/MAE-pytorch:
mean of the tokens, fresh norm. 100 epochs as in its README, whose numbers stand in
configs/beyond_masking/README.md.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth
"""

_base_ = 'finetune_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(backbone=dict(with_cls_token=False, pos_embed='sinusoid_1d'))
optim_wrapper = dict(optimizer=dict(lr=1e-3), paramwise_cfg=dict(layer_decay_rate=0.75))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=5, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=1e-3, begin=5, convert_to_iter_based=True),
]
