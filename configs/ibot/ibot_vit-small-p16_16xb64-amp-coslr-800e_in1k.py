"""iBOT, ViT-S/16, 800 epochs: the arguments of its README (arXiv:2111.07832).

Command: bash tools/dist_train.sh configs/ibot/ibot_vit-small-p16_16xb64-amp-coslr-800e_in1k.py 16
The paper's number: not in our copy.
"""

_base_ = 'ibot_vit-base-p16_16xb64-amp-coslr-400e_in1k.py'

model = dict(backbone=dict(arch='small'), neck=dict(in_dims=384))
optim_wrapper = dict(clip_grad=dict(max_norm=3.0))
custom_hooks = [dict(type='mmmim.HoldParametersHook', names=('neck.last_layer',), epochs=1)]
train_cfg = dict(max_epochs=800)
