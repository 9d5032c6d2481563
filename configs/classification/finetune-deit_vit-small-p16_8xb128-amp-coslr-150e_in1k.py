"""Fine-tuning of MoCo v3's ViT-S, 12 heads of 32, as its ViT-B [our reading].

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Numbers of MoCo v3: 81.4 (its README); in arXiv:2202.03026, table 1: 81.7.
"""

_base_ = 'finetune-deit_vit-base-p16_8xb128-amp-coslr-150e_in1k.py'

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True, embed_dims=384, num_layers=12, num_heads=12, feedforward_channels=1536
        )
    ),
    head=dict(in_channels=384),
)
