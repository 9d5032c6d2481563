"""ViT-B from random weights on Sketch (CAE, arXiv:2202.03026, table 8): the recipe of fine-tuning,
300 epochs, no layer decay [our reading: the paper gives no recipe].

Command: bash tools/dist_train.sh
    configs/classification/scratch_vit-base-p16_8xb128-amp-coslr-300e_sketch.py 8
That paper's number: 46.42.
"""

_base_ = 'finetune_vit-base-p16_8xb128-amp-coslr-100e_sketch.py'

model = dict(backbone=dict(pos_embed='sincos'))
optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=1.0))
train_cfg = dict(max_epochs=300)
