"""MAE with no transformation: ViT-S/16, 100 epochs on ImageNet-100.

Occlusion-invariant paper, Table 5.

Command: bash tools/dist_train.sh
    configs/mae/mae-none_vit-small-p16_8xb128-amp-coslr-100e_in100.py 8
The paper's number: 71.9 fine-tuned on ImageNet-100 [our alignment of the table's rows].
"""

_base_ = 'mae-mask_vit-small-p16_8xb128-amp-coslr-100e_in100.py'

model = dict(
    corruption=dict(_delete_=True, type='mmmim.NoCorruption'),
    neck=dict(mask_tokens=False),
)
