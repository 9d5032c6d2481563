"""iBOT with a ViT-B/16 (arXiv:2111.07832, section 3 and its code): one head for class and patches.

Half of the global views lose 10 to 50 % of their patches in blocks, the others none.
"""

_base_ = 'dino_vit-base-p16.py'

model = dict(
    backbone=dict(masked='replace'),
    neck=dict(num_prototypes=8192, unit_length=False),
    loss=dict(num_prototypes=8192),
    patch_loss=dict(
        type='mmmim.MaskedSelfDistillationLoss',
        num_prototypes=8192,
        student_temp=0.1,
        teacher_temp=(0.04, 0.07),
        warmup_epochs=30,
    ),
    corruption=dict(
        type='mmmim.VaryingMasking',
        patch_size=16,
        ratios=[(0.0, 0.0), (0.3, 0.2)],
        min_patches=16,
    ),
)
