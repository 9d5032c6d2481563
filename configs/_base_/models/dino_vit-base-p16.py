"""DINO with a ViT-B/16 (arXiv:2104.14294, section 3 and its code).

65536 prototypes of length 1; the teacher's temperature rises as its README advises.
"""

model = dict(
    type='mmmim.SelfDistillation',
    backbone=dict(
        type='mmmim.MaskedViT',
        arch='base',
        img_size=224,
        patch_size=16,
        out_type='raw',
        pos_embed='learned',
        drop_path_rate=0.1,
        init='trunc_normal',
    ),
    neck=dict(
        type='mmmim.PrototypeHead',
        in_dims=768,
        num_prototypes=65536,
        hidden_dims=2048,
        proj_dims=256,
        unit_length=True,
    ),
    loss=dict(
        type='mmmim.SelfDistillationLoss',
        num_prototypes=65536,
        student_temp=0.1,
        teacher_temp=(0.04, 0.07),
        warmup_epochs=30,
    ),
    momentum=0.996,
)
