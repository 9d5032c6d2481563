"""MoCo v3, its ViT-S/16 with 12 heads, 300 epochs on ImageNet-1K (arXiv:2104.02057).

Command: bash tools/dist_train.sh
    configs/mocov3/mocov3_vit-small-p16_32xb128-amp-coslr-300e_in1k.py 32
The paper's number: not in our copy. As quoted in arXiv:2202.03026, table 1: linear probe 73.1,
attentive probe 73.8, fine-tuned 81.7.
"""

_base_ = 'mocov3_vit-base-p16_32xb128-amp-coslr-300e_in1k.py'

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True, embed_dims=384, num_layers=12, num_heads=12, feedforward_channels=1536
        )
    ),
    neck=dict(in_dims=384),
)
