"""Fine-tuning of a plain ViT-B on Sketch (CAE, arXiv:2202.03026, table 8): as on ImageNet-1K, batch
1024, lr 2e-3 [our reading: the paper gives no recipe].

Class folders below data/sketch with the user's lists meta/train.txt and meta/val.txt [our reading:
the paper names no split]; 205 classes, as Places has.

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth

That paper's numbers: DeiT 73.45, DINO 73.13, MAE 73.87.
"""

_base_ = 'finetune_vit-base-p16_8xb128-amp-coslr-100e_clipart.py'

train_dataloader = dict(dataset=dict(data_root='data/sketch'))
val_dataloader = dict(dataset=dict(data_root='data/sketch'))
test_dataloader = dict(dataset=dict(data_root='data/sketch'))
