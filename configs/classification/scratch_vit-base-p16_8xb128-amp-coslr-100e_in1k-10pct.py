"""ViT-B from random weights on 10 % of ImageNet's labels, as fine-tuned without layer decay.

Command: bash tools/dist_train.sh
    configs/classification/scratch_vit-base-p16_8xb128-amp-coslr-100e_in1k-10pct.py 8
That paper's number, table 8: 34.9.
"""

_base_ = 'finetune-occlusion_vit-base-p16_8xb128-amp-coslr-100e_in1k-10pct.py'

model = dict(backbone=dict(pos_embed='sincos'))
optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=1.0))
