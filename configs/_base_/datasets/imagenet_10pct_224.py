"""10 % of ImageNet-1K's labels, SimCLR's list [our reading]:
tools/dataset_converters/image_lists.py `names` writes it."""

_base_ = 'imagenet_finetune_224.py'

train_dataloader = dict(dataset=dict(ann_file='meta/train_10percent.txt'))
