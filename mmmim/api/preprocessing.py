"""From a picture to what an encoder takes."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.utils import to_2tuple
from PIL import Image, ImageOps
from torch import Tensor

from mmmim.analysis.sources import cover
from mmmim.datasets.decoding import decode, decode_file, to_rgb
from mmmim.datasets.pixel_format import PixelFormat


class Preprocessing:
    """Decode, resize until the size is covered, cut the middle, normalise.

    Args:
        size (int | tuple): Side, or (height, width), in pixels; None leaves the size as it is.
        mean (Sequence[float]): Per channel, on the scale 0 to 255.
        std (Sequence[float]): Likewise.
        bits (int): 8 or 16 of the values that files are read in; those of 16 bits are divided by
            257, as in pre-training.

    Raises:
        ValueError: If the size is none, or a standard deviation not positive.
    """

    def __init__(self, size, mean: Sequence[float], std: Sequence[float], bits: int = 8) -> None:
        self.form = PixelFormat(len(mean), bits).check()
        self.size = None if size is None else tuple(to_2tuple(size))
        self.mean, self.std = tuple(map(float, mean)), tuple(map(float, std))
        if self.size is not None and not _is_size(self.size):
            raise ValueError(f'size must be a side or (height, width) in pixels, got {size!r}.')
        if min(self.std) <= 0:
            raise ValueError(f'std must be above 0 in every channel, got {list(self.std)}.')

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, mean={self.mean}, std={self.std})'

    def __call__(self, image) -> Tensor:
        """
        Args:
            image: Path, content of a file, PIL image, (H, W) or (H, W, C) array, or (C, H, W)
                tensor, uint8 or for encoders of 16 bits uint16.

        Returns:
            (C, H, W) float32, normalised.

        Raises:
            ValueError: If it cannot be read or has other channels than the encoder takes.
        """
        pixels = self.pixels(image)
        mean, std = (torch.tensor(v).view(-1, 1, 1) for v in (self.mean, self.std))
        return (pixels - mean) / std

    def pixels(self, image) -> Tensor:
        """As called, before normalisation: (C, H, W) float32 in [0, 255]."""
        pixels = self._decode(image)
        if len(pixels) == 1 and len(self.mean) == 3:
            pixels = pixels.expand(3, -1, -1)
        if len(pixels) != len(self.mean):
            raise ValueError(
                f'the image has {len(pixels)} channels, but the encoder was trained on '
                f'{len(self.mean)}.'
            )
        if pixels.dtype == torch.uint16:
            pixels = pixels.to(torch.float32) / 257
        return (pixels if self.size is None else cover(pixels, self.size)).float()

    def _decode(self, image) -> Tensor:
        if isinstance(image, (str, os.PathLike)):
            try:
                return decode_file(os.fspath(image), self.form)
            except ValueError as error:
                raise ValueError(f'{image} cannot be read: {error}') from error
        if isinstance(image, bytes):
            return decode(image, self.form)
        if isinstance(image, Image.Image):
            image = np.array(to_rgb(ImageOps.exif_transpose(image)))
        if isinstance(image, np.ndarray):
            image = torch.from_numpy(np.ascontiguousarray(image))
            image = image.unsqueeze(0) if image.dim() == 2 else image.movedim(-1, 0)
        known = isinstance(image, Tensor) and image.dtype in (torch.uint8, torch.uint16)
        if not known or image.dim() != 3:
            what = hasattr(image, 'dtype') and f'{image.dtype} of shape {tuple(image.shape)}'
            raise ValueError(
                'an image must be a path, bytes, a PIL image, or uint8 or uint16 as (H, W, C) '
                f'array or (C, H, W) tensor, got {what or type(image).__name__}.'
            )
        return image


def _is_size(size: tuple) -> bool:
    return len(size) == 2 and all(isinstance(side, int) and side > 0 for side in size)
