"""ViT-B/16 from random weights, supervised on 1000 images of ImageNet-1K, one of each class.

Table 8 of the occlusion-invariant paper: pre-training that uses labels. The images are those of
mae-1000img-perclass, an epoch as long as there; as fine-tuning (base lr 1e-3, batch 1024).

Command: bash tools/dist_train.sh
    configs/classification/supervised-1000img-perclass_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
That paper's number: 33.1 linear probe, 81.0 fine-tuned, 52.6 on 10 % of the labels.
"""

_base_ = [
    '../_base_/models/vit-base_finetune.py',
    '../_base_/datasets/imagenet_finetune_224.py',
    '../_base_/schedules/adamw_coslr_supervised.py',
    '../_base_/default_runtime.py',
]

model = dict(backbone=dict(pos_embed='sincos'))
few = dict(
    type='mmmim.LabelledSubset',
    dataset={{_base_.train_dataloader.dataset}},
    num_images=1000,
    sampling='one_per_class',
)
train_dataloader = dict(
    dataset=dict(_delete_=True, type='RepeatDataset', times=1281, dataset=few),
)
