"""Peak signal-to-noise ratio of images in [0, 1]."""

import torch
from torch import Tensor


def psnr(images: Tensor, reference: Tensor, region: Tensor | None = None) -> Tensor:
    """10 log10(1 / MSE) per image, in dB.

    Args:
        images: (N, C, H, W), clamped to [0, 1] here.
        reference: Likewise, the truth.
        region: (N, 1, H, W) bool, the pixels that count; None for all.

    Returns:
        (N,) float32; 100 at most, where the images are equal.
    """
    images, reference = images.float().clamp(0, 1), reference.float().clamp(0, 1)
    error = (images - reference).square().mean(dim=1, keepdim=True)  # (N, 1, H, W)
    if region is None:
        mean = error.flatten(1).mean(dim=1)
    else:
        inside = torch.where(region, error, 0.0).flatten(1).sum(dim=1)
        mean = inside / region.flatten(1).sum(dim=1).clamp_min(1)
    return -10 * torch.log10(mean.clamp_min(1e-10))
