"""MAE on 1000 images of ImageNet-1K, one of each class, ViT-B/16, 100 epochs.

Occlusion-invariant paper, Tables 7 and 8; with the stronger augmentation [our reading].

Command: bash tools/dist_train.sh
    configs/mae/mae-1000img-perclass_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
That paper's number: 82.2 fine-tuned (Table 7);
13.8 linear probe, 57.6 on 10 % of the labels (Table 8).
"""

_base_ = 'mae-1000img-strong_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

train_dataloader = dict(dataset=dict(sampling='one_per_class'))
