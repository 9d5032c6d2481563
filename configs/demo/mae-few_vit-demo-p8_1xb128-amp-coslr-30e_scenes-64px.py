"""MAE on few of the embedded scenes (question of Table 6 of the occlusion-invariant paper).

One image by default: --cfg-options train_dataloader.dataset.num_images=10 for ten, and so on. An
epoch is 10,000 samples drawn with replacement, as many as the whole set has. The chosen images
are
listed in images.txt of the work folder.

Command: python tools/train.py
    configs/demo/mae-few_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py
"""

_base_ = 'mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

few = dict(type='mmmim.ImageSubset', num_images=1, sampling='random', epoch_length=10000)
train_dataloader = dict(dataset=few)
custom_hooks = [dict(type='mmmim.ImageListHook')]
