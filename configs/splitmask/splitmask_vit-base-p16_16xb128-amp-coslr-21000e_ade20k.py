"""SplitMask, ViT-B/16, pre-trained on the images of ADE20K themselves: our reading of
arXiv:2112.10740.

Command: bash tools/dist_train.sh
    configs/splitmask/splitmask_vit-base-p16_16xb128-amp-coslr-21000e_ade20k.py 16
The paper's number: not in our copy. As quoted in arXiv:2202.03026, table 7: ADE20K 45.7 mIoU.
"""

_base_ = 'splitmask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

train_dataloader = dict(dataset=dict(data_root='data/ade/ADEChallengeData2016/images/training'))
param_scheduler = [  # 6250 updates, 9 an epoch, as 10 epochs of ImageNet-1K
    dict(type='LinearLR', start_factor=1e-6, begin=0, end=694, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min=1e-5, begin=694, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=21000)
default_hooks = dict(checkpoint=dict(interval=100))
