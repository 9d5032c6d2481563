"""CAE, ViT-S/16 with 12 heads of 32, 300 epochs on ImageNet-1K, tokens of DALL-E.

Regressor and decoder are as wide as the encoder, the schedule is that of ViT-B [the paper tells
neither].

Command: bash tools/dist_train.sh
    configs/cae/cae_vit-small-p16_32xb64-amp-coslr-300e_in1k.py 32
The paper's numbers (Table 1): fine-tuned 82.0, linear 51.8, attentive 65.0.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-300e_in1k.py'

model = dict(
    backbone=dict(
        arch=dict(
            _delete_=True, embed_dims=384, num_layers=12, num_heads=12, feedforward_channels=1536
        ),
    ),
    neck=dict(in_dims=384, embed_dims=384),
)
