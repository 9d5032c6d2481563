"""MAE with colour jitter of the visible patches and a clean target, ViT-B/16, 100 epochs.

Occlusion-invariant paper, Table 4; SimSiam's jitter and grey.

Command: bash tools/dist_train.sh
    configs/mae/mae-jittervisible_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
That paper's number: 54.0 linear probe, 83.0 fine-tuned, 67.3 on 10 % of the labels.
"""

_base_ = 'mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

color = dict(type='mmmim.RandomColorJitter')
masking = dict(type='mmmim.RandomMasking', patch_size=16, mask_ratio=0.75)
model = dict(
    corruption=dict(_delete_=True, type='mmmim.CorruptionSequence', steps=[color, masking])
)
