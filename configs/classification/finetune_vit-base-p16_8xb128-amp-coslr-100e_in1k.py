"""MAE's fine-tuning of ViT-B (arXiv:2111.06377, appendix A.1): batch 1024, base lr 5e-4, layer
decay 0.65.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number for MAE, 1600 epochs, as quoted in arXiv:2202.03026, table 1: 83.6.
"""

_base_ = [
    '../_base_/models/vit-base_finetune.py',
    '../_base_/datasets/imagenet_finetune_224.py',
    '../_base_/schedules/adamw_coslr_finetune.py',
    '../_base_/default_runtime.py',
]

optim_wrapper = dict(type='mmmim.AmpOptimWrapper')
