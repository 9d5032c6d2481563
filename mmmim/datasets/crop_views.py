"""One random crop at several resolutions."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mmmim.registry import TRANSFORMS

from .transforms import RandomResizedCrop, Size, _pair, resize

_INTERPOLATIONS = ('bicubic', 'bilinear', 'lanczos')


def _resize_as(image: Tensor, size: tuple[int, int], interpolation: str) -> Tensor:
    """(C, H, W) -> (C, *size)."""
    if interpolation != 'lanczos':  # which torch does not have
        return resize(image, size, interpolation)
    if image.dtype != torch.uint8:
        raise ValueError("interpolation='lanczos' is for images of 8 bits: use 'bicubic'.")
    if image.shape[0] != 3:  # PIL has no such pictures
        return torch.cat([_resize_as(c.expand(3, -1, -1), size, 'lanczos')[:1] for c in image])
    picture = Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))
    small = picture.resize(size[::-1], Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


@TRANSFORMS.register_module()
class RandomResizedCropViews(RandomResizedCrop):
    """One random crop as 'image', and resized once more for every further view.

    BEiT and CAE (arXiv:2202.03026, section 4.1; released code: the tokenizer's 112 px by Lanczos,
    after the flip): ``views=dict(tokenizer=dict(size=112, interpolation='lanczos'))``.

    Args:
        size (int or tuple): Side, or (height, width), of 'image'.
        scale (tuple): Range of the crop's share of the image area, within (0, 1].
        ratio (tuple): Range of width / height of the crop.
        interpolation (str): Of 'image': 'bicubic' or 'bilinear'.
        views (dict): Name -> dict(size=..., interpolation='bicubic', 'bilinear' or 'lanczos').

    Raises:
        ValueError: If a value is out of range or an interpolation unknown.
    """

    def __init__(
        self,
        size: Size,
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: str = 'bicubic',
        views: Mapping | None = None,
    ) -> None:
        super().__init__(size, scale, ratio, interpolation)
        self.views = {}
        for name, view in (views or {}).items():
            kind = view.get('interpolation', 'bicubic')
            if kind not in _INTERPOLATIONS:
                raise ValueError(
                    f'RandomResizedCropViews: interpolation={kind!r} of view {name!r} must be one '
                    f'of {_INTERPOLATIONS}.'
                )
            self.views[name] = (_pair(view['size'], f'RandomResizedCropViews: {name}'), kind)

    def finish(self, results: dict) -> dict:
        """As the parent, for all views."""
        crop = results['image']
        for name, (size, interpolation) in self.views.items():
            results[name] = _resize_as(crop, size, interpolation)
        return super().finish(results)
