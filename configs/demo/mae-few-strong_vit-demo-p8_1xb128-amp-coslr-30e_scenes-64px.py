"""MAE on few of the embedded scenes with the stronger augmentation, on input and target alike.

As the one without: --cfg-options train_dataloader.dataset.num_images=10 for ten images. Crops of
20
to 100 % and narrower blur, as the images are smaller [ours].

Command: python tools/train.py
    configs/demo/mae-few-strong_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'mae-few_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='mmmim.RandomResizedCrop', size=64, scale=(0.2, 1.0)),
            dict(type='mmmim.RandomFlip', prob=0.5),
            dict(
                type='mmmim.ColorJitter',
                brightness=0.4,
                contrast=0.4,
                saturation=0.4,
                hue=0.1,
                prob=0.8,
            ),
            dict(type='mmmim.RandomGrayscale', prob=0.2),
            dict(type='mmmim.GaussianBlur', sigma=(0.1, 0.6), prob=0.5),
        ],
    ),
)
