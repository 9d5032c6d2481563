"""Fine-tuning of a plain ViT-B on two folders of class folders, data/folder/train and val, with
MAE's recipe. For another number of classes than 10 say it twice:

    bash tools/dist_train.sh THIS 8 --pretrained work_dirs/MY_RUN/encoder.pth \
        --cfg-options model.head.num_classes=7 data_preprocessor.num_classes=7

Its number: depends on the data.
"""

_base_ = [
    '../_base_/models/vit-base_finetune.py',
    '../_base_/datasets/folder_finetune_224.py',
    '../_base_/schedules/adamw_coslr_finetune.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=10))
data_preprocessor = dict(num_classes=10)
optim_wrapper = dict(type='mmmim.AmpOptimWrapper')
