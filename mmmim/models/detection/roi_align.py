"""RoIAlign as two matrix products, for small maps on the CPU.

Bilinear sampling on a grid parallel to the axes is separable: a bin's value is a weighted sum over
rows of a weighted sum over columns. mmcv's CPU kernel visits every sample of every channel
instead; on 16 x 16 maps its backward pass alone took half of a training step.
"""

import torch
from mmcv.ops import RoIAlign as _RoIAlign
from torch import Tensor

# Above this many cells per map the products do more work than the samples.
MAX_CELLS = 64 * 64


def axis_weights(start: Tensor, length: Tensor, bins: int, samples: int, size: int) -> Tensor:
    """How much each cell of one axis contributes to each bin.

    Args:
        start, length: (K,) beginning and extent of the RoIs, in cells.
        bins: Bins per RoI.
        samples: Sampling points per bin.
        size: Cells of the axis.

    Returns:
        (K, bins, size); rows sum to 1, or less where sampling points lie outside the map.
    """
    steps = (torch.arange(bins * samples, device=start.device, dtype=start.dtype) + 0.5) / samples
    points = start.unsqueeze(1) + steps * (length / bins).unsqueeze(1)  # (K, bins * samples)
    inside = (points >= -1) & (points <= size)
    points = points.clamp(0, size - 1)
    cells = torch.arange(size, device=start.device, dtype=start.dtype)
    weights = (1 - (points.unsqueeze(2) - cells).abs()).clamp(min=0) * inside.unsqueeze(2)
    return weights.unflatten(1, (bins, samples)).mean(2)


def separable_roi_align(
    maps: Tensor, rois: Tensor, output_size, scale: float, samples: int, aligned: bool
) -> Tensor:
    """RoIAlign with average pooling; equal to ``mmcv.ops.roi_align`` with a fixed
    ``sampling_ratio``.

    Args:
        maps: (N, C, H, W).
        rois: (K, 5), image index and x1, y1, x2, y2 in pixels.
        output_size: (h, w) bins.
        scale: Cells per pixel.
        samples: Sampling points per bin and axis, at least 1.
        aligned: Pixel centres at half-integers.

    Returns:
        (K, C, h, w).
    """
    if len(rois) == 0:
        return maps.new_zeros(0, maps.shape[1], *output_size) + maps.sum() * 0
    height, width = maps.shape[-2:]
    corner, far = rois[:, 1:3] * scale - aligned * 0.5, rois[:, 3:5] * scale - aligned * 0.5
    extent = far - corner if aligned else (far - corner).clamp(min=1)
    down = axis_weights(corner[:, 1], extent[:, 1], output_size[0], samples, height)  # (K, h, H)
    across = axis_weights(corner[:, 0], extent[:, 0], output_size[1], samples, width)  # (K, w, W)
    order = rois[:, 0].argsort(stable=True)
    counts = torch.bincount(rois[:, 0].long(), minlength=len(maps)).tolist()
    rows = _sum_rows(maps, down[order].split(counts))
    out = torch.bmm(rows, across[order].transpose(1, 2))  # (K, h * C, w)
    out = out.unflatten(1, (output_size[0], -1)).transpose(1, 2)  # (K, C, h, w)
    return out[order.argsort()]


def _sum_rows(maps: Tensor, weights) -> Tensor:
    """Weighted sums over rows, image by image: (N, C, H, W) and N times (K_i, h, H) -> (K, h * C,
    W)."""
    width = maps.shape[-1]
    parts = [
        (weight.flatten(0, 1) @ image.transpose(0, 1).flatten(1)).view(len(weight), -1, width)
        for image, weight in zip(maps, weights)
        if len(weight)
    ]
    return torch.cat(parts)


class RoIAlign(_RoIAlign):
    """mmcv's RoIAlign, by matrix products where that is faster."""

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        """(N, C, H, W) maps and RoIs (K, 5) -> (K, C, h, w)."""
        small = input.shape[-2] * input.shape[-1] <= MAX_CELLS
        fixed = self.sampling_ratio > 0 and self.pool_mode == 'avg'
        if input.is_cuda or not (small and fixed):
            return super().forward(input, rois)
        return separable_roi_align(
            input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned
        )
