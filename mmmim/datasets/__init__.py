"""Data sets, transforms, samplers and collate functions of the pre-training path."""

from .collate import collate_views, worker_init
from .image_folder import ImageFolder
from .sampler import EpochSampler
from .transforms import CenterCrop, RandomFlip, RandomResizedCrop, ResizeShort

__all__ = [
    'CenterCrop',
    'EpochSampler',
    'ImageFolder',
    'RandomFlip',
    'RandomResizedCrop',
    'ResizeShort',
    'collate_views',
    'worker_init',
]
