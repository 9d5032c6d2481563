"""Beyond Masking, (a) zoom-in: nothing is masked. ViT-B/16, 300 epochs on ImageNet-1K.

arXiv:2203.14313. The encoder sees the centre of the wider view that is predicted; a fifth of the
loss lies on its border. The authors' repository gives 82.7 after fine-tuning; no ImageNet run of
this code has been made.

Command: bash tools/dist_train.sh
    configs/beyond_masking/beyond-masking-zoomin_vit-base-p16_16xb128-amp-coslr-300e_in1k.py 16
"""

_base_ = 'beyond-masking-mask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

model = dict(
    corruption=dict(_delete_=True, type='mmmim.ZoomIn', patch_size=16),
    neck=dict(mask_tokens=False, predict='all'),
    target=dict(type='mmmim.ZoomTarget'),
    loss=dict(
        _delete_=True,
        type='mmmim.WeightedLoss',
        losses=[dict(type='mmmim.MaskedRegressionLoss', p=2), dict(type='mmmim.BorderLoss')],
        weights=[0.8, 0.2],
    ),
)
data_preprocessor = dict(normalize=['image', 'wide'])
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=288, scale=(0.2, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
            dict(
                type='mmmim.MultiView',
                views=dict(wide=[], image=[dict(type='mmmim.CenterCrop', size=224)]),
            ),
        ]
    )
)
