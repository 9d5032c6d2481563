"""Few images of ImageNet-1K (occlusion-invariant paper, Tables 6 to 8): num_images and sampling.

An epoch is 1,281,167 samples drawn with replacement, as many as ImageNet has [our reading]. The
chosen images are listed in images.txt of the work folder.
"""

_base_ = 'imagenet_pretrain_224.py'

train_dataloader = dict(
    dataset=dict(
        type='mmmim.ImageSubset',
        num_images=1000,
        sampling='random',
        subset_seed=0,
        epoch_length=1281167,
        cache='ram',
    ),
)
custom_hooks = [dict(type='mmmim.ImageListHook')]
