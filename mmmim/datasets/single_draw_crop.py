"""The crop of the papers' linear probes, for mmpretrain's pipelines."""

import math

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform

from mmmim.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SingleDrawResizedCrop(BaseTransform):
    """Random resized crop that draws its shape once and cuts it down to the image.

    The crop of MAE's linear probe (its ``util/crop.py``, after TensorFlow's). mmpretrain's and
    torchvision's draw up to ten times until the shape fits, and then take the centre. ::

        area = U(crop_ratio_range) * H * W,  aspect = exp(U(log aspect_ratio_range))
        w = min(round(sqrt(area * aspect)), W),  h = min(round(sqrt(area / aspect)), H)

    Reads and writes ``img``, (H, W, 3) uint8, and ``img_shape``; draws from numpy's generator, as
    mmpretrain's transforms do.

    Args:
        scale (int): Side of the result in pixels.
        crop_ratio_range (tuple): Share of the image's area, (low, high).
        aspect_ratio_range (tuple): Width over height, (low, high).
        interpolation (str): Of ``mmcv.imresize``.
        backend (str): Of ``mmcv.imresize``: 'pillow' antialiases.

    Raises:
        ValueError: If ``scale`` or a range is not positive, or a range is empty.
    """

    def __init__(
        self,
        scale,
        crop_ratio_range=(0.08, 1.0),
        aspect_ratio_range=(3 / 4, 4 / 3),
        interpolation='bicubic',
        backend='pillow',
    ):
        if scale <= 0:
            raise ValueError(f'SingleDrawResizedCrop: scale must be positive, got {scale}.')
        for low, high in (crop_ratio_range, aspect_ratio_range):
            if not 0 < low <= high:
                raise ValueError(
                    f'SingleDrawResizedCrop: ranges need 0 < low <= high, got ({low}, {high}).'
                )
        self.scale, self.interpolation, self.backend = scale, interpolation, backend
        self.crop_ratio_range, self.aspect_ratio_range = crop_ratio_range, aspect_ratio_range

    def draw(self, height: int, width: int) -> tuple[int, int, int, int]:
        """(top, left, height, width) of a crop."""
        area = np.random.uniform(*self.crop_ratio_range) * height * width
        aspect = math.exp(np.random.uniform(*map(math.log, self.aspect_ratio_range)))
        w = min(max(1, round(math.sqrt(area * aspect))), width)
        h = min(max(1, round(math.sqrt(area / aspect))), height)
        top = np.random.randint(0, height - h + 1)
        return top, np.random.randint(0, width - w + 1), h, w

    def transform(self, results: dict) -> dict:
        image = results['img']
        top, left, h, w = self.draw(*image.shape[:2])
        results['img'] = mmcv.imresize(
            image[top : top + h, left : left + w],
            (self.scale, self.scale),
            interpolation=self.interpolation,
            backend=self.backend,
        )
        results['img_shape'] = results['img'].shape
        return results
