"""Histograms of oriented gradients as a target."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmmim.registry import MODELS

from .. import tokens


@MODELS.register_module()
class HOGTarget(nn.Module):
    """Histograms of oriented gradients of each patch.

    MaskFeat (arXiv:2112.09133): per channel, gradients of a 3x3 Sobel filter vote by
    their length for one of the signed directions, are summed over squares of ``pool`` pixels, and
    each histogram is divided by its Euclidean length. Any grid, unlike mmpretrain's
    ``HOGGenerator`` (14x14 alone), and without its Gaussian window, which MaskFeat's ImageNet
    recipe does not have.

    Args:
        patch_size (int): Patch side in pixels.
        bins (int): Directions.
        pool (int): Side of the squares in pixels; divides ``patch_size``.
        gaussian_window (int): Weigh gradients by a Gaussian repeated with this period in pixels,
            0 for none.
        in_channels (int): Image channels.

    Raises:
        ValueError: If ``pool`` does not divide ``patch_size``, or the window not the image.
    """

    reconstructs, needs_true_statistics, gives = False, False, 'values'

    def __init__(self, patch_size=16, bins=9, pool=8, gaussian_window=0, in_channels=3):
        super().__init__()
        if patch_size % pool:
            raise ValueError(
                f'pool {pool} does not divide patch_size {patch_size}: histograms would cross '
                'patches.'
            )
        self.patch_size, self.bins, self.pool = patch_size, bins, pool
        self.gaussian_window = gaussian_window
        self.dims = in_channels * bins * (patch_size // pool) ** 2
        sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
        kernels = torch.stack([sobel, sobel.T]).unsqueeze(1)  # along x, along y
        self.register_buffer('kernels', kernels, persistent=False)

    @torch.no_grad()
    def forward(self, views: dict, geometry=None) -> Tensor:
        """The target of every cell.

        Args:
            views: 'image' (N, C, H, W), normalised per channel or not: histograms are divided by
                their lengths.
            geometry: Must be None.

        Returns:
            (N, L, T) float32, values of a patch in the order (C, bins, rows, columns).
        """
        if geometry is not None:
            raise ValueError(
                'HOGTarget compares features in place: a corruption with geometry needs a pixel '
                'target.'
            )
        images = views['image'].float()
        tokens.exact_grid(images.shape[-2:], self.patch_size)
        with torch.autocast(images.device.type, enabled=False):
            histograms = F.normalize(self._votes(images), dim=2)  # (N, C, bins, rows, columns)
        return tokens.patchify(
            histograms.flatten(1, 2), self.patch_size // self.pool, channels_last=False
        )

    def _votes(self, images) -> Tensor:
        n, c, height, width = images.shape
        padded = F.pad(images, (1, 1, 1, 1), mode='reflect').flatten(0, 1).unsqueeze(1)
        gradient = F.conv2d(padded, self.kernels)  # (N * C, 2, H, W)
        direction = torch.atan2(gradient[:, :1], gradient[:, 1:]) / math.pi * self.bins
        length = gradient.norm(dim=1, keepdim=True)
        if self.gaussian_window:
            length = length * self._window(height, width).to(length)
        votes = length.new_zeros(n * c, self.bins, height, width)
        votes.scatter_(1, direction.floor().long() % self.bins, length)
        pooled = F.avg_pool2d(votes, self.pool) * self.pool**2
        return pooled.unflatten(0, (n, c))

    def _window(self, height, width) -> Tensor:
        """(H, W): a Gaussian of half the window's side as standard deviation, sum 1, repeated."""
        side = self.gaussian_window
        if height % side or width % side:
            raise ValueError(
                f'gaussian_window {side} does not divide the image size {height}x{width}.'
            )
        offset = torch.arange(side) - (side - 1) / 2
        bell = (-0.5 * (offset / (side // 2)) ** 2).exp()
        kernel = bell.unsqueeze(1) * bell
        return (kernel / kernel.sum()).repeat(height // side, width // side)

    def to_rgb(self, pred: Tensor, views: dict | None = None, grid=None) -> Tensor:
        """Raises:
        ValueError: Always: directions of gradients do not tell colours.
        """
        raise ValueError(
            'histograms of oriented gradients cannot be mapped back to pixels: there is no '
            'reconstruction to draw for this target.'
        )
