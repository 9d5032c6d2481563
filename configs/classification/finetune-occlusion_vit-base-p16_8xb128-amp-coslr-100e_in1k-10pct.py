"""Fine-tuning of ViT-B on 10 % of ImageNet's labels, as the occlusion-invariant paper does: its
recipe, 100 epochs of the subset, SimCLR's list [our reading].

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Numbers of that paper, table 4, ViT-B pre-trained for 100 epochs: MAE 67.5, C-MAE 66.4.
"""

_base_ = [
    '../_base_/models/vit-base_finetune.py',
    '../_base_/datasets/imagenet_10pct_224.py',
    '../_base_/schedules/adamw_coslr_supervised.py',
    '../_base_/default_runtime.py',
]

optim_wrapper = dict(paramwise_cfg=dict(layer_decay_rate=0.65))
train_cfg = dict(val_interval=10)
