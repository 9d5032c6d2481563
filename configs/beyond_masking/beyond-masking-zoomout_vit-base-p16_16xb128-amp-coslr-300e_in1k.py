"""Beyond Masking, (b) zoom-out: nothing is masked. ViT-B/16, 300 epochs on ImageNet-1K.

arXiv:2203.14313. The encoder sees a crop of 160 px amid its mirror images. The authors' repository
gives 82.5 after fine-tuning; no ImageNet run of this code has been made.

Command: bash tools/dist_train.sh
    configs/beyond_masking/beyond-masking-zoomout_vit-base-p16_16xb128-amp-coslr-300e_in1k.py 16
"""

_base_ = 'beyond-masking-mask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

model = dict(
    corruption=dict(_delete_=True, type='mmmim.ZoomOut', size=224, patch_size=16),
    neck=dict(mask_tokens=False, predict='all'),
    target=dict(type='mmmim.ZoomTarget'),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=160, scale=(0.2, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
        ]
    )
)
