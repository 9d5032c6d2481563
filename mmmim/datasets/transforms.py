"""Geometric transforms of the pre-training path.

Each takes and returns the dict of one sample. ``image`` is (C, H, W) uint8 or uint16 with any
strides, so that crops are views and a decoded image is copied once, by its only resize. Random
numbers come from ``rng``, see randomness.py. Resizing is bicubic with antialiasing as PIL's;
torch's uint8 kernel does the same fixed-point arithmetic in a quarter of the time and differs by
one grey level at most. Images of 16 bits are resized in float32 and rounded.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmmim.registry import TRANSFORMS

Size = int | tuple[int, int]
Box = tuple[int, int, int, int]


def resize(image: Tensor, size: tuple[int, int], mode: str = 'bicubic') -> Tensor:
    """Antialiased: (C, H, W) uint8 or uint16 -> (C, *size); the image itself if it fits."""
    if tuple(image.shape[1:]) == size:
        return image
    if image.dtype == torch.uint16:
        values = F.interpolate(image[None].float(), size=size, mode=mode, antialias=True)[0]
        return values.round_().clamp_(0, 65535).to(torch.uint16)
    return F.interpolate(image[None], size=size, mode=mode, antialias=True)[0]


def mirror(image: Tensor) -> Tensor:
    """Left and right exchanged; torch mirrors no uint16, hence int16 in between."""
    if image.dtype == torch.uint16:
        return image.view(torch.int16).flip(-1).view(torch.uint16)
    return image.flip(-1)


def _pair(size: Size, name: str) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or not all(isinstance(side, int) and side > 0 for side in pair):
        raise ValueError(f'{name}: size={size} must be a positive int or a pair (height, width).')
    return pair


def _span(values: Sequence[float], name: str) -> tuple[float, float]:
    low, high = values
    if not 0 < low <= high:
        raise ValueError(f'{name}={tuple(values)} must be (low, high) with 0 < low <= high.')
    return float(low), float(high)


@TRANSFORMS.register_module()
class RandomResizedCrop:
    """Crop a random rectangle and resize it to a fixed size.

    As MAE's data augmentation (arXiv:2111.06377, appendix A.1): area uniform in ``scale``, aspect
    log-uniform in ``ratio``, ten attempts, then the largest central crop within ``ratio``.

    Args:
        size (int or tuple): Side, or (height, width), of the result.
        scale (tuple): Range of the crop's share of the image area, within (0, 1].
        ratio (tuple): Range of width / height of the crop.
        interpolation (str): 'bicubic', or 'bilinear' as MoCo v3.

    Raises:
        ValueError: If a value is out of range.
    """

    def __init__(
        self,
        size: Size,
        scale: Sequence[float] = (0.2, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: str = 'bicubic',
    ) -> None:
        if interpolation not in ('bicubic', 'bilinear'):
            raise ValueError(
                f"RandomResizedCrop: interpolation={interpolation!r} must be 'bicubic' or "
                "'bilinear'."
            )
        self.interpolation = interpolation
        self.size = _pair(size, 'RandomResizedCrop')
        self.scale = _span(scale, 'RandomResizedCrop: scale')
        self.ratio = _span(ratio, 'RandomResizedCrop: ratio')
        if self.scale[1] > 1:
            raise ValueError(f'RandomResizedCrop: scale={tuple(scale)} exceeds the whole image, 1.')
        self._log_ratio = tuple(math.log(value) for value in self.ratio)

    def draw(self, height: int, width: int, random) -> Box:
        """A box (top, left, height, width); ``random()`` is uniform in [0, 1)."""
        (scale, scale_max), (log, log_max) = self.scale, self._log_ratio
        for _ in range(10):
            area = height * width * (scale + (scale_max - scale) * random())
            aspect = math.exp(log + (log_max - log) * random())
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= width and 0 < h <= height:
                top = int(random() * (height - h + 1))
                return top, int(random() * (width - w + 1)), h, w
        return self._central(height, width)

    def _central(self, height: int, width: int) -> Box:
        aspect = min(max(width / height, self.ratio[0]), self.ratio[1])
        h = min(height, max(1, round(width / aspect)))
        w = min(width, max(1, round(height * aspect)))
        return (height - h) // 2, (width - w) // 2, h, w

    def __call__(self, results: dict) -> dict:
        image = results['image']
        top, left, h, w = self.draw(image.shape[1], image.shape[2], results['rng'].random)
        results['image'] = image[:, top : top + h, left : left + w]
        return self.finish(results)

    def finish(self, results: dict) -> dict:
        """What follows once 'image' is cropped: by ``__call__``, or already while decoding."""
        results['image'] = resize(results['image'], self.size, self.interpolation)
        return results


@TRANSFORMS.register_module()
class RandomFlip:
    """Mirror left and right with probability ``prob``."""

    def __init__(self, prob: float = 0.5) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'RandomFlip: prob={prob} must lie in [0, 1].')
        self.prob = prob

    def __call__(self, results: dict) -> dict:
        if results['rng'].random() < self.prob:
            results['image'] = mirror(results['image'])
        return results


@TRANSFORMS.register_module()
class ResizeShort:
    """Resize so that the short side has ``size`` pixels; the long one is rounded down.

    With a pair (height, width), so that the image just covers it.
    """

    def __init__(self, size: Size = 256) -> None:
        self.cover = _pair(size, 'ResizeShort')

    def __call__(self, results: dict) -> dict:
        (height, width), (h, w) = results['image'].shape[1:], self.cover
        if h * width >= w * height:
            size = (h, h * width // height)
        else:
            size = (w * height // width, w)
        results['image'] = resize(results['image'], size)
        return results


@TRANSFORMS.register_module()
class CenterCrop:
    """Cut the central ``size`` out; the image must be at least that large.

    Raises:
        ValueError: If the image is smaller.
    """

    def __init__(self, size: Size = 224) -> None:
        self.size = _pair(size, 'CenterCrop')

    def __call__(self, results: dict) -> dict:
        (height, width), (h, w) = results['image'].shape[1:], self.size
        if h > height or w > width:
            raise ValueError(
                f'CenterCrop: the image is {height}x{width}, smaller than the crop {h}x{w}: '
                'put ResizeShort before it.'
            )
        top, left = round((height - h) / 2), round((width - w) / 2)
        results['image'] = results['image'][:, top : top + h, left : left + w]
        return results
