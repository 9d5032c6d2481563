"""CAE, ViT-L/16, as the released script runs: regressor and decoder 768 wide, 12 heads, Xavier.

Command: bash tools/dist_train.sh
    configs/cae/cae-decoder768_vit-large-p16_32xb64-amp-coslr-1600e_in1k.py 32
The paper's number: not in our copy for this width.
"""

_base_ = 'cae_vit-large-p16_32xb64-amp-coslr-1600e_in1k.py'

model = dict(
    backbone=dict(init='cae'),
    neck=dict(embed_dims=768, num_heads=12, init='cae'),
)
