"""CAE, ViT-L/16, 1600 epochs on ImageNet-1K, tokens of DALL-E.

Regressor and decoder 1024 wide with 16 heads and rescaled initial values: what the released script
means to ask for; a missing line continuation loses it there.

Command: bash tools/dist_train.sh
    configs/cae/cae_vit-large-p16_32xb64-amp-coslr-1600e_in1k.py 32
The paper's numbers (Tables 1 and 3): fine-tuned 86.3, linear 78.1, attentive 81.2, ADE20K 54.7.
"""

_base_ = 'cae_vit-base-p16_32xb64-amp-coslr-1600e_in1k.py'

model = dict(
    backbone=dict(arch='large', init='beit', layer_scale_init_value=1e-5),
    neck=dict(
        in_dims=1024, embed_dims=1024, num_heads=16, init='beit', layer_scale_init_value=1e-5
    ),
)
