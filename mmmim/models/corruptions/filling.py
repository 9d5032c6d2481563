"""Masks that change the pixels, too."""

import torch

from mmmim.registry import MODELS

from .base import Corrupted, Corruption


@MODELS.register_module()
class MeanColorFilling(Corruption):
    """Masking that paints the masked cells in the image's own mean colour.

    A2MIM (arXiv:2205.13943), as in its code: the mean is that of the whole image. The
    backbone sees these patches, so it is made for ``masked='add'``.

    Args:
        masking (dict): The corruption that draws the mask.

    Raises:
        ValueError: If ``masking`` gives no mask, or moves pixels.
    """

    fills = True

    def __init__(self, masking):
        super().__init__()
        self.masking = MODELS.build(masking)
        if not self.masking.masks or self.masking.geometric:
            raise ValueError(
                f'MeanColorFilling: masking is {type(self.masking).__name__}, but must be a '
                'corruption that draws a mask and leaves pixels in place, e.g. mmmim.RandomMasking.'
            )
        self.exact_count, self.uniform = self.masking.exact_count, self.masking.uniform
        self.patch_size = self.masking.patch_size

    def forward(self, views, mask=None):
        images, mask, geometry = self.masking(views, mask=mask)
        side = self.patch_size
        hidden = mask.repeat_interleave(side, 1).repeat_interleave(side, 2).unsqueeze(1)
        mean = views['image'].mean(dim=(2, 3), keepdim=True)
        return Corrupted(torch.where(hidden, mean, images), mask, geometry)
