"""Feature pyramid out of the equally sized maps of a plain vision transformer."""

import math

import torch.nn as nn
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor

from mmmim.registry import MODELS


class MaxPool(nn.Module):
    """Max pooling that keeps a ragged last row and column, so that maps of any size stay aligned.

    Args:
        factor (int): Side of the window, and stride.
    """

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, ceil(H / factor), ceil(W / factor))."""
        return F.max_pool2d(x, self.factor, ceil_mode=True)


def upsampler(channels: int, doublings: int, norm_cfg) -> nn.Sequential:
    """Deconvolutions that double the side each; norm and GELU between two of them."""
    parts = []
    for i in range(doublings):
        if i:
            parts += [build_norm_layer(norm_cfg, channels)[1], nn.GELU()]
        parts.append(nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2))
    return nn.Sequential(*parts)


@MODELS.register_module()
class DeconvPyramid(BaseModule):
    """Maps of several strides from maps of one stride, by deconvolution and pooling.

    The neck between a plain ViT and FPN or UPerHead in Li et al. 2021 (arXiv:2111.11429, section
    3), BEiT and
    CAE: with patch 16, deconvolution - norm - GELU - deconvolution gives stride 4, one
    deconvolution 8, the map itself 16, max pooling 32.

    In mmdet a detector takes a list of necks: ``neck=[dict(type='mmmim.DeconvPyramid', ...),
    dict(type='FPN', ...)]``. In mmseg it is the neck in front of the head.

    Args:
        in_channels (int): Width of the maps.
        out_channels (int | Sequence[int], optional): Width of the levels, by a 1 x 1 convolution
            where it differs; by default that of the maps. With a head's own widths, the head need
            not change.
        rescales (Sequence[float]): Side of each level relative to the backbone's map, powers of
            two. For
            strides 4, 8, 16, 32: (4, 2, 1, 0.5) with patch 16, (2, 1, 0.5, 0.25) with patch 8.
        norm_cfg (dict, optional): Norm between two deconvolutions: SyncBN (by default), BN or GN.
        init_cfg (dict, optional): mmengine initialisation; by default the layers keep torch's.

    Raises:
        ValueError: If a factor is no power of two, or there are not as many widths as factors.
    """

    def __init__(
        self, in_channels, out_channels=None, rescales=(4, 2, 1, 0.5), norm_cfg=None, init_cfg=None
    ):
        super().__init__(init_cfg)
        self.in_channels, self.rescales = in_channels, tuple(rescales)
        norm_cfg = norm_cfg or dict(type='SyncBN')
        self.levels = nn.ModuleList(self._level(factor, norm_cfg) for factor in self.rescales)
        widths = self._widths(in_channels if out_channels is None else out_channels)
        self.projections = nn.ModuleList(
            nn.Identity() if width == in_channels else nn.Conv2d(in_channels, width, 1)
            for width in widths
        )

    def _widths(self, out_channels) -> list[int]:
        if isinstance(out_channels, int):
            return [out_channels] * len(self.rescales)
        if len(out_channels) != len(self.rescales):
            raise ValueError(
                f'out_channels {list(out_channels)} do not fit the {len(self.rescales)} levels of '
                f'rescales {self.rescales}.'
            )
        return list(out_channels)

    def _level(self, factor, norm_cfg) -> nn.Module:
        if factor <= 0 or math.log2(factor) % 1:
            raise ValueError(
                f'rescales must be powers of two such as (4, 2, 1, 0.5), got {factor} in '
                f'{self.rescales}.'
            )
        if factor > 1:
            return upsampler(self.in_channels, int(math.log2(factor)), norm_cfg)
        return nn.Identity() if factor == 1 else MaxPool(int(1 / factor))

    def forward(self, inputs) -> tuple[Tensor, ...]:
        """
        Args:
            inputs: One (N, C, H, W) map per level, or a single map for all.

        Returns:
            Per level (N, C', ceil(H * rescale), ceil(W * rescale)).

        Raises:
            ValueError: If there are neither as many maps as levels nor one, or the width is wrong.
        """
        maps = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if len(maps) == 1:
            maps = maps * len(self.levels)
        if len(maps) != len(self.levels):
            raise ValueError(
                f'DeconvPyramid has {len(self.levels)} levels (rescales {self.rescales}) but got '
                f'{len(maps)} maps: give the backbone as many out_indices, or one.'
            )
        if maps[0].dim() != 4 or maps[0].shape[1] != self.in_channels:
            raise ValueError(
                f'DeconvPyramid(in_channels={self.in_channels}) got {tuple(maps[0].shape)}: it '
                "needs (N, C, H, W) maps, out_type='featmap' of the backbone."
            )
        maps = [level(x) for level, x in zip(self.levels, maps)]
        return tuple(project(x) for project, x in zip(self.projections, maps))
