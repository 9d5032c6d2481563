"""MAE's fine-tuning of ViT-H/14 (arXiv:2111.06377, appendix A.1): as ViT-L, stochastic depth 0.3.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number: not in our copy.
"""

_base_ = 'finetune_vit-large-p16_32xb32-amp-coslr-50e_in1k.py'

model = dict(
    backbone=dict(arch='huge', patch_size=14, drop_path_rate=0.3), head=dict(in_channels=1280)
)
train_dataloader = dict(batch_size=16)
