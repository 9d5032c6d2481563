"""Convolution with random kernels."""

import torch
import torch.nn.functional as F
from torch import Tensor

from mmmim.registry import MODELS

from ..randomness import counter_normal, counter_uniform
from .degradation import Degradation

STREAM = 23
BIASES = (None, 'sample', 'run')


@MODELS.register_module()
class RandomBlur(Degradation):
    """Convolve every image with a kernel of its own.

    Beyond Masking (arXiv:2203.14313), task (d), as its code intends; as released it does not run.
    Weights are normal around 1 / k**2. The kernel mixes the channels, which shifts hues as in the
    authors' pictures [our reading]; every output channel then has about the sum of all input
    channels. Edges are padded with zeros, the mean colour.

    Args:
        kernel_size (int): Side k, odd.
        std (float): Standard deviation of the weights.
        depthwise (bool): Blur every channel by itself, without mixing.
        bias (str, optional): torch's default for such a layer, uniform in +-1 / sqrt(fan-in), which
            the released code leaves in: drawn per 'sample', or once for the 'run' as released (once
            per process there). None for none.
        seed (int, optional): Seed of the draws; by default that of the run.

    Raises:
        ValueError: If ``kernel_size`` is even, or ``bias`` unknown.
    """

    def __init__(self, kernel_size=7, std=0.02, depthwise=False, bias='sample', seed=None):
        super().__init__(seed)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd and positive, got {kernel_size}.')
        if bias not in BIASES:
            raise ValueError(f'bias must be one of {BIASES}, got {bias!r}.')
        self.kernel_size, self.std = kernel_size, std
        self.depthwise, self.bias = depthwise, bias

    def kernels(self, views: dict) -> tuple[Tensor, Tensor | None]:
        """Weights (N, C, C, k, k), depthwise (N, C, 1, k, k), and biases (N, C)."""
        (n, c), k = views['image'].shape[:2], self.kernel_size
        fan_in = (1 if self.depthwise else c) * k * k
        where = self.coordinates(views)
        weight = counter_normal(**where, count=c * fan_in, stream=STREAM) * self.std + 1 / k**2
        weight = weight.reshape(n, c, -1, k, k)
        if self.bias is None:
            return weight, None
        if self.bias == 'run':
            where.update(epoch=where['epoch'][:1] * 0, sample_index=where['sample_index'][:1] * 0)
        bias = counter_uniform(**where, count=c, stream=STREAM + 1) * 2 - 1
        return weight, (bias * fan_in**-0.5).expand(n, c)

    def degrade(self, views):
        images = views['image']
        n, c, height, width = images.shape
        weight, bias = self.kernels(views)
        with torch.autocast(images.device.type, enabled=False):
            blurred = F.conv2d(  # a group per image, or per image and channel
                images.float().reshape(1, n * c, height, width),
                weight.flatten(0, 1),
                None if bias is None else bias.flatten(),
                padding=self.kernel_size // 2,
                groups=n * c if self.depthwise else n,
            )
        return blurred.reshape(images.shape)
