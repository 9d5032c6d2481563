"""Fine-tuning of a plain ViT-B on Clipart (CAE, arXiv:2202.03026, table 8): as on ImageNet-1K,
batch 1024, lr 2e-3 [our reading: the paper gives no recipe].

Class folders below data/clipart with the user's lists meta/train.txt and meta/val.txt [our reading:
the paper names no split]; 205 classes, as Places has.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

That paper's numbers: DeiT 81.18, DINO 80.72, MAE 80.63.
"""

_base_ = [
    '../_base_/models/vit-base_finetune.py',
    '../_base_/datasets/lists_finetune_224.py',
    '../_base_/schedules/adamw_coslr_finetune.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=205))
data_preprocessor = dict(num_classes=205)
optim_wrapper = dict(type='mmmim.AmpOptimWrapper')
