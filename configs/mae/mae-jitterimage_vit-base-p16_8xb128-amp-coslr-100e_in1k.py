"""MAE with colour jitter of the whole image, input and target alike, ViT-B/16, 100 epochs.

Occlusion-invariant paper, Table 4; SimSiam's jitter and grey.

Command: bash tools/dist_train.sh
    configs/mae/mae-jitterimage_vit-base-p16_8xb128-amp-coslr-100e_in1k.py 8
That paper's number: 53.4 linear probe, 83.1 fine-tuned, 67.3 on 10 % of the labels.
"""

_base_ = 'mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'

jitter = dict(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=224, scale=(0.2, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
            dict(type='mmmim.ColorJitter', **jitter),
            dict(type='mmmim.RandomGrayscale', prob=0.2),
        ],
    ),
)
