"""A rectangle of another image in place of the image's own."""

import torch
from torch import Tensor

from mmmim.registry import MODELS

from .degradation import Degradation

STREAM = 34


@MODELS.register_module()
class CutMix(Degradation):
    """Paste a rectangle of the next image of the batch over each image.

    The region is CutMix's (arXiv:1905.04899, section 3.1): a share uniform in ``area`` (Beta(1, 1))
    of the image, of the image's aspect, centred anywhere and cut off at the border. The
    occlusion-invariant paper (Table 5) names CutMix as a transformation of MIM without details;
    our reading: it is a corruption. The target stays the clean image, so the rectangle is what
    has to be seen through, as with a mask, but the model is not told where it is.

    The rectangle is a function of (seed, epoch, sample index); whose pixels fill it depends on how
    samples are batched.

    Args:
        area (tuple): Range of the pasted share before it is cut off at the border.
        seed (int, optional): Seed of the draws; by default that of the run.

    Raises:
        ValueError: If ``area`` is no range within [0, 1].
    """

    def __init__(self, area=(0.0, 1.0), seed=None):
        super().__init__(seed)
        if not 0 <= area[0] <= area[1] <= 1:
            raise ValueError(f'CutMix: area={tuple(area)} must be 0 <= low <= high <= 1.')
        self.area = tuple(area)

    def regions(self, views: dict) -> Tensor:
        """(N, 1, H, W) bool, True where another image is pasted."""
        height, width = views['image'].shape[-2:]
        numbers = self.uniform(views, 3, STREAM)
        side = (self.area[0] + (self.area[1] - self.area[0]) * numbers[:, 0]).sqrt()
        rows = _within(numbers[:, 1], side, height)
        columns = _within(numbers[:, 2], side, width)
        return (rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1)

    def degrade(self, views):
        images = views['image']
        return torch.where(self.regions(views), images.roll(-1, 0), images)


def _within(center: Tensor, side: Tensor, length: int) -> Tensor:
    """(N, length) bool: positions inside a span, centre and side as shares of the length."""
    place = torch.arange(length, device=center.device)
    center, half = (center * length).floor(), (side * length).floor() // 2
    first, end = (center - half).unsqueeze(1), (center + half).unsqueeze(1)
    return (place >= first) & (place < end)
