"""Data sets, transforms, samplers and collate functions of the pre-training path."""

from .augmentations import ColorJitter, GaussianBlur, RandomGrayscale, Solarize
from .collate import collate_views, worker_init
from .crop_views import RandomResizedCropViews
from .image_folder import ImageFolder
from .sampler import EpochSampler
from .seeded import SeededDataset
from .single_draw_crop import SingleDrawResizedCrop
from .subset import ImageSubset, LabelledSubset
from .transforms import CenterCrop, RandomFlip, RandomResizedCrop, ResizeShort
from .views import MultiView

__all__ = [
    'CenterCrop',
    'ColorJitter',
    'EpochSampler',
    'GaussianBlur',
    'ImageFolder',
    'ImageSubset',
    'LabelledSubset',
    'MultiView',
    'RandomFlip',
    'RandomGrayscale',
    'RandomResizedCrop',
    'RandomResizedCropViews',
    'ResizeShort',
    'SeededDataset',
    'SingleDrawResizedCrop',
    'Solarize',
    'collate_views',
    'worker_init',
]
