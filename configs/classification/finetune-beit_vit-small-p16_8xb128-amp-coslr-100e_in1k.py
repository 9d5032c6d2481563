"""Fine-tuning of a BEiT ViT-S, as that of ViT-B [ours: BEiT has no ViT-S].

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

Its number, 300 epochs, as quoted in arXiv:2202.03026, table 1: 81.7.
"""

_base_ = 'finetune-beit_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

model = dict(backbone=dict(arch='small'), head=dict(in_channels=384))
