"""MoCo v3 on 1000 images of ImageNet-1K, one of each class, ViT-B/16, 100 epochs.

Occlusion-invariant paper, Table 8: the images of mae-1000img-perclass, an epoch as long as there,
batch and warm-up as its other rows [our reading].

Command: bash tools/dist_train.sh
    configs/mocov3/mocov3-1000img-perclass_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
That paper's number: 37.3 linear probe, 79.2 fine-tuned, 45.8 on 10 % of the labels.
"""

_base_ = 'mocov3_vit-base-p16_32xb128-amp-coslr-300e_in1k.py'

few = dict(type='mmmim.ImageSubset', num_images=1000, sampling='one_per_class', cache='ram')
train_dataloader = dict(dataset=dict(**few, epoch_length=1281167))
custom_hooks = [dict(type='mmmim.ImageListHook')]
optim_wrapper = dict(optimizer=dict(lr=6e-4))
auto_scale_lr = dict(base_batch_size=1024)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=20, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=0.0, begin=20, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=100)
