"""iBOT's fine-tuning of ViT-S (its code): 200 epochs, layer decay 0.75, stochastic depth 0.1.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number: 82.3 (its README).
"""

_base_ = 'finetune-ibot_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(backbone=dict(arch='small', drop_path_rate=0.1), head=dict(in_channels=384))
optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.75))
train_cfg = dict(max_epochs=200)
