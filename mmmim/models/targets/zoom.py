"""Pixels as a target where the prediction lies in another frame than the encoder's input."""

import torch
from torch import Tensor

from mmmim.registry import MODELS

from .pixel import PixelTarget


@MODELS.register_module()
class ZoomTarget(PixelTarget):
    """Pixel target of zoom-in and zoom-out; arguments of :class:`PixelTarget`.

    Beyond Masking (arXiv:2203.14313), tasks (a) and (b). What a corruption's geometry compares is
    normalised as there: for zoom-in the patches of the encoder's input, for zoom-out the patches of
    the enlarged view, brought to the encoder's frame afterwards. Without a geometry it is
    :class:`PixelTarget`.
    """

    takes_geometry = True

    @torch.no_grad()
    def forward(self, views: dict, geometry=None) -> Tensor:
        """
        Args:
            views: 'image' (N, C, H, W) normalised, and 'wide' for zoom-in.
            geometry: Of the corruption, or None.

        Returns:
            (N, L, T); for zoom-in (N, L, 2 T): in the encoder's frame, then the whole wider view's
            in the frame of the prediction.
        """
        if geometry is None:
            return super().forward(views)
        with torch.autocast(views['image'].device.type, enabled=False):
            return geometry.targets(views, super().forward)

    @torch.no_grad()
    def to_rgb(self, pred: Tensor, views: dict | None = None, grid=None, geometry=None) -> Tensor:
        """As :meth:`PixelTarget.to_rgb`; with a geometry, in the frame of comparison."""
        if geometry is None:
            return super().to_rgb(pred, views, grid)
        return geometry.pictures(pred, views, super().to_rgb)
