"""Beyond Masking, (e) de-colour: nothing is masked. ViT-B/16, 300 epochs on ImageNet-1K.

arXiv:2203.14313. The authors' repository gives 81.4 after fine-tuning; no ImageNet run of this code
has been made.

Command: bash tools/dist_train.sh
    configs/beyond_masking/beyond-masking-decolor_vit-base-p16_16xb128-amp-coslr-300e_in1k.py 16
"""

_base_ = 'beyond-masking-mask_vit-base-p16_16xb128-amp-coslr-300e_in1k.py'

model = dict(
    corruption=dict(_delete_=True, type='mmmim.Decolor', out_channels=1),
    backbone=dict(in_channels=1),
    neck=dict(mask_tokens=False, predict='all'),
)
