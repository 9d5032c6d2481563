"""Fisheye distortion."""

import torch
import torch.nn.functional as F

from mmmim.registry import MODELS

from .degradation import Degradation

STREAM = 21


@MODELS.register_module()
class FisheyeDistortion(Degradation):
    """Magnify around a random point, the more the farther from it.

    Beyond Masking (arXiv:2203.14313), task (c), as in its code. With image coordinates in [-1, 1]
    and d the way from a point x to the centre c, the distorted image shows at x what stands at
    x + m |d| d: bilinear, corners aligned. c is uniform over the image, m over ``magnitude``, both
    drawn per image. For m < 1 / (2 sqrt(2)) no point outside the image is ever looked up.

    Args:
        magnitude (tuple): Range of m.
        seed (int, optional): Seed of the draws; by default that of the run.

    Raises:
        ValueError: If ``magnitude`` is not (low, high) with 0 <= low <= high < 1 / (2 sqrt(2)).
    """

    def __init__(self, magnitude=(0.15, 0.25), seed=None):
        super().__init__(seed)
        low, high = magnitude
        if not 0 <= low <= high < 8**-0.5:
            raise ValueError(
                f'magnitude={tuple(magnitude)} must be (low, high) with 0 <= low <= high < 0.35.'
            )
        self.magnitude = (float(low), float(high))

    def degrade(self, views):
        images = views['image']
        centre = self.uniform(views, 2, STREAM, -1.0, 1.0).reshape(-1, 1, 1, 2)  # (N, 1, 1, xy)
        magnitude = self.uniform(views, 1, STREAM + 1, *self.magnitude).reshape(-1, 1, 1, 1)
        y, x = (torch.linspace(-1, 1, side, device=images.device) for side in images.shape[-2:])
        grid = torch.stack(torch.meshgrid(x, y, indexing='xy'), dim=-1)  # (H, W, xy)
        way = centre - grid
        source = grid + way * way.norm(dim=-1, keepdim=True) * magnitude
        with torch.autocast(images.device.type, enabled=False):
            return F.grid_sample(images.float(), source, align_corners=True)
