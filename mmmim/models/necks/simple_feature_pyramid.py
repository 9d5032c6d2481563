"""Feature pyramid out of the last map of a plain vision transformer."""

import math

import torch.nn as nn
from mmengine.model import BaseModule
from mmpretrain.models.utils import LayerNorm2d
from torch import Tensor

from mmmim.registry import MODELS

from .deconv_pyramid import MaxPool


def _norm(channels):
    return LayerNorm2d(channels, eps=1e-6)


def _resampler(channels: int, rescale: float) -> tuple[nn.Sequential, int]:
    """What brings a map to ``rescale`` times its side, and the width it comes out with."""
    if rescale <= 1:
        return nn.Sequential(*([MaxPool(int(1 / rescale))] if rescale < 1 else [])), channels
    parts: list[nn.Module] = []
    for i in range(int(math.log2(rescale))):
        if i:
            parts += [_norm(channels), nn.GELU()]
        parts.append(nn.ConvTranspose2d(channels, channels // 2, kernel_size=2, stride=2))
        channels //= 2
    return nn.Sequential(*parts), channels


@MODELS.register_module()
class SimpleFeaturePyramid(BaseModule):
    """ViTDet's pyramid (arXiv:2203.16527, section 3 and appendix A.2): every level from the last
    map alone, with no path between levels.

    Deconvolutions that halve the width (layer norm and GELU between two of them) or pooling bring
    the map to each stride, then a 1 x 1 and a 3 x 3 convolution, both with layer norm, to the width
    of the heads.

    Args:
        in_channels (int): Width of the map.
        out_channels (int): Width of the levels.
        rescales (Sequence[float]): Side of each level relative to the map, powers of two: strides
            4, 8, 16, 32 for (4, 2, 1, 0.5) with patch 16.
        num_outs (int, optional): Levels with those that subsample the last one (a max pooling of
            one cell with stride 2, as in FPN); by default one per entry of ``rescales``.
        init_cfg (dict, optional): mmengine initialisation; by default convolutions to the levels
            start as detectron2's (Kaiming uniform, a = 1), deconvolutions as torch's.

    Raises:
        ValueError: If a factor is no power of two or the width cannot be halved often enough.
    """

    def __init__(
        self, in_channels, out_channels=256, rescales=(4, 2, 1, 0.5), num_outs=None, init_cfg=None
    ):
        super().__init__(init_cfg)
        self.in_channels, self.rescales = in_channels, tuple(rescales)
        self.num_outs = len(self.rescales) if num_outs is None else num_outs
        self._check()
        self.levels = nn.ModuleList()
        for rescale in self.rescales:
            resampler, width = _resampler(in_channels, rescale)
            level = nn.Sequential(
                resampler,
                nn.Conv2d(width, out_channels, 1, bias=False),
                _norm(out_channels),
                nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
                _norm(out_channels),
            )
            self.levels.append(level)
        self.subsample = nn.MaxPool2d(kernel_size=1, stride=2)

    def _check(self):
        for rescale in self.rescales:
            if rescale <= 0 or math.log2(rescale) % 1:
                raise ValueError(
                    f'rescales must be powers of two such as (4, 2, 1, 0.5), got {rescale} in '
                    f'{self.rescales}.'
                )
            if rescale > 1 and self.in_channels % int(rescale):
                raise ValueError(
                    f'in_channels {self.in_channels} cannot be divided by {rescale}, as each '
                    'doubling of the side halves the width.'
                )
        if self.num_outs < len(self.rescales):
            raise ValueError(
                f'num_outs {self.num_outs} is less than the {len(self.rescales)} levels of '
                f'rescales {self.rescales}.'
            )

    def init_weights(self):
        """As mmengine's; without ``init_cfg`` convolutions to the levels as in detectron2."""
        super().init_weights()
        if self.init_cfg is None:
            for level in self.levels:
                for part in level:
                    if isinstance(part, nn.Conv2d):
                        nn.init.kaiming_uniform_(part.weight, a=1)

    def forward(self, inputs) -> tuple[Tensor, ...]:
        """
        Args:
            inputs: One (N, C, H, W) map, or a sequence whose last is taken.

        Returns:
            Per level (N, C', ceil(H * rescale), ceil(W * rescale)).

        Raises:
            ValueError: If the width is wrong.
        """
        x = inputs if isinstance(inputs, Tensor) else inputs[-1]
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise ValueError(
                f'SimpleFeaturePyramid(in_channels={self.in_channels}) got {tuple(x.shape)}: it '
                "needs an (N, C, H, W) map, out_type='featmap' of the backbone."
            )
        outputs = [level(x) for level in self.levels]
        while len(outputs) < self.num_outs:
            outputs.append(self.subsample(outputs[-1]))
        return tuple(outputs)
