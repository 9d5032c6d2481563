"""Patch embedding that embeds visible patches only."""

import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from .. import tokens


class PatchEmbed(nn.Module):
    """Linear embedding of image patches; its weight is stored as that of a convolution
    (``projection``).

    Args:
        in_channels (int): Image channels C.
        embed_dims (int): Width D.
        patch_size (int): Side p in pixels.
    """

    def __init__(self, in_channels: int, embed_dims: int, patch_size: int):
        super().__init__()
        self.patch_size, self.in_channels = patch_size, in_channels
        self.projection = nn.Conv2d(in_channels, embed_dims, patch_size, stride=patch_size)

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Patches per column and row of an image of ``size`` (H, W), padded to whole patches."""
        return -(-size[0] // self.patch_size), -(-size[1] // self.patch_size)

    def forward(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """Embed all patches, or with a mask the visible ones.

        Args:
            images: (N, C, H, W); padded at the bottom and on the right to whole patches.
            mask: (N, Gh, Gw) bool, True = masked, or None.

        Returns:
            (N, L or Lv, D), row-major.
        """
        p = self.patch_size
        pad_h, pad_w = -images.shape[2] % p, -images.shape[3] % p
        if pad_h or pad_w:
            images = F.pad(images, (0, pad_w, 0, pad_h))
        patches = tokens.patchify(images, p, channels_last=False)  # (N, L, C * p * p)
        if mask is not None:
            patches = tokens.visible(patches, mask)
        return F.linear(patches, self.projection.weight.flatten(1), self.projection.bias)
