"""iBOT on the embedded scenes; the cost of DINO's, and prototypes for every patch.

Command: python tools/train.py configs/demo/ibot_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = [
    'dino_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py',
]

model = dict(
    backbone=dict(masked='replace'),
    patch_loss=dict(type='mmmim.MaskedSelfDistillationLoss', num_prototypes=1024, warmup_epochs=3),
    corruption=dict(type='mmmim.VaryingMasking', patch_size=8, min_patches=4),
)
