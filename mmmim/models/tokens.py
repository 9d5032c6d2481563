"""Patches and tokens: the only home of patchify, unpatchify, argsort, gather and scatter.

Axis letters: N batch, C H W image, p patch side, Gh Gw grid, L = Gh * Gw, Lv / Lm visible / masked,
D width.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from .randomness import counter_bits, mix


class Split(NamedTuple):
    """Where the visible and the masked tokens of each sample lie, both in row-major order."""

    visible: Tensor  # (N, Lv) int64
    masked: Tensor  # (N, Lm) int64


def exact_grid(size: tuple[int, int], patch_size: int) -> tuple[int, int]:
    """Patches per column and row: (H, W) -> (Gh, Gw).

    Raises:
        ValueError: If the patch does not divide the image.
    """
    height, width = size
    if height % patch_size or width % patch_size:
        raise ValueError(
            f'patch_size {patch_size} does not divide the image size {height}x{width}: '
            'change the crop size (img_size) or patch_size.'
        )
    return height // patch_size, width // patch_size


def patchify(images: Tensor, patch_size: int, channels_last: bool = True) -> Tensor:
    """Cut images into patches, row by row.

    Args:
        images: (N, C, H, W), H and W multiples of ``patch_size``.
        patch_size: Side p in pixels.
        channels_last: Order of the values in a patch: (p, p, C) as the targets of MAE, or (C, p, p)
            as the weights of a patch-embedding convolution.

    Returns:
        (N, L, p * p * C), same dtype.

    Raises:
        ValueError: If the patch does not divide the image.
    """
    n, c = images.shape[:2]
    gh, gw = exact_grid(images.shape[-2:], patch_size)
    x = images.reshape(n, c, gh, patch_size, gw, patch_size)
    order = (0, 2, 4, 3, 5, 1) if channels_last else (0, 2, 4, 1, 3, 5)
    return x.permute(order).reshape(n, gh * gw, -1)


def unpatchify(patches: Tensor, grid: tuple[int, int], patch_size: int) -> Tensor:
    """The inverse of :func:`patchify` with ``channels_last=True``.

    Args:
        patches: (N, L, p * p * C).
        grid: (Gh, Gw) with Gh * Gw = L.
        patch_size: Side p in pixels.

    Returns:
        (N, C, Gh * p, Gw * p).
    """
    n, (gh, gw) = patches.shape[0], grid
    x = patches.reshape(n, gh, gw, patch_size, patch_size, -1)
    return x.permute(0, 5, 1, 3, 2, 4).reshape(n, -1, gh * patch_size, gw * patch_size)


def stamp(mask: Tensor, num_masked: int) -> Tensor:
    """Note on a mask how many cells it hides in every sample, so that nobody has to count on the
    device.

    The note is void as soon as the mask is changed in place.
    """
    mask._mmmim_count = (mask._version, int(num_masked))
    return mask


def _noted(mask: Tensor, name: str):
    version, value = getattr(mask, name, (None, None))
    return value if version == mask._version else None


def complement(mask: Tensor) -> Tensor:
    """The mask that hides what ``mask`` shows; its count follows from that of ``mask``.

    Args:
        mask: (N, Gh, Gw) bool, True = masked.
    """
    other, count = ~mask, _noted(mask, '_mmmim_count')
    return other if count is None else stamp(other, mask[0].numel() - count)


def num_masked(mask: Tensor) -> int:
    """Number of masked cells, equal in all samples.

    Args:
        mask: (N, Gh, Gw) bool, True = masked. Counted (one device synchronisation) unless stamped.

    Raises:
        ValueError: If the samples differ in their counts.
    """
    noted = _noted(mask, '_mmmim_count')
    if noted is not None:
        return noted
    counts = mask.flatten(1).sum(dim=1)
    low, high = int(counts.min()), int(counts.max())
    if low != high:
        raise ValueError(
            'a mask must hide the same number of cells in every sample of a batch, '
            f'but these hide {low} to {high}.'
        )
    stamp(mask, low)
    return low


def has_equal_counts(mask: Tensor) -> bool:
    """Whether all samples hide the same number of cells; free of charge for stamped masks."""
    if _noted(mask, '_mmmim_count') is not None:
        return True
    counts = mask.flatten(1).sum(dim=1)
    return bool((counts == counts[0]).all())


def split(mask: Tensor) -> Split:
    """Indices of the visible and the masked cells; one stable argsort per mask, kept with it.

    Args:
        mask: (N, Gh, Gw) bool, True = masked, equal counts.
    """
    noted = _noted(mask, '_mmmim_split')
    if noted is None:
        visible = mask[0].numel() - num_masked(mask)
        order = mask.flatten(1).to(torch.uint8).argsort(dim=1, stable=True)
        noted = Split(order[:, :visible], order[:, visible:])
        mask._mmmim_split = (mask._version, noted)
    return noted


def gather(tokens: Tensor, index: Tensor) -> Tensor:
    """Take tokens by index: (N or 1, L, D), (N, K) -> (N, K, D)."""
    (n, k), (rows, length, dims) = index.shape, tokens.shape
    if rows == 1:
        return tokens[0].index_select(0, index.reshape(-1)).reshape(n, k, dims)
    offset = torch.arange(n, device=index.device).mul_(length).unsqueeze(1)
    return (
        tokens.reshape(n * length, dims)
        .index_select(0, (index + offset).reshape(-1))
        .reshape(n, k, dims)
    )


def visible(tokens: Tensor, mask: Tensor) -> Tensor:
    """The visible tokens in row-major order: (N or 1, L, D) -> (N, Lv, D)."""
    return gather(tokens, split(mask).visible)


def masked(tokens: Tensor, mask: Tensor) -> Tensor:
    """The masked tokens in row-major order: (N or 1, L, D) -> (N, Lm, D)."""
    return gather(tokens, split(mask).masked)


def masked_first(mask: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first ``count`` cells of each sample, masked ones before visible ones.

    For masks that differ in their counts: the shape is known without asking the device.

    Args:
        mask: (N, Gh, Gw) bool, True = masked.
        count: At least the largest number of masked cells.

    Returns:
        Indices (N, count) int64, masked cells in row-major order; and which are masked, bool.
    """
    flat = mask.flatten(1)
    cells = flat.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :count]
    return cells, flat.gather(1, cells)


def match(tokens: Tensor, pred: Tensor, mask: Tensor | None) -> Tensor:
    """Bring full-grid tokens (N, L, D) to the cells that ``pred`` holds: L, or the masked Lm."""
    if mask is None or tokens.shape[1] == pred.shape[1]:
        return tokens
    return masked(tokens, mask)


def scatter_masked(base: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """A copy of ``base`` (N, L, D) in which the masked cells hold ``tokens`` (N, Lm, D)."""
    index = split(mask).masked.unsqueeze(-1).expand(-1, -1, tokens.shape[-1])
    return base.scatter(1, index, tokens.to(base.dtype))


def spread_visible(tokens: Tensor, mask: Tensor) -> Tensor:
    """Visible tokens (N, Lv, D) at their places in the grid: (N, L, D), zeros in masked cells."""
    index = split(mask).visible.unsqueeze(-1).expand(-1, -1, tokens.shape[-1])
    empty = tokens.new_zeros(len(tokens), mask[0].numel(), tokens.shape[-1])
    return empty.scatter(1, index, tokens)


def pick_masked(mask: Tensor, count: int) -> Split:
    """Choose ``count`` masked cells at random, as a function of the mask alone.

    Whoever holds the mask finds the same cells, so no index list has to travel with it.

    Args:
        mask: (N, Gh, Gw) bool, True = masked.
        count: How many cells to choose.

    Returns:
        Split(chosen (N, count), rest (N, Lm - count)) as grid indices; named ``visible`` and
        ``masked`` since the chosen ones join the visible tokens.

    Raises:
        ValueError: If ``count`` exceeds the number of masked cells.
    """
    total = num_masked(mask)
    if not 0 <= count <= total:
        raise ValueError(f'cannot insert {count} mask tokens where only {total} cells are masked.')
    cells = split(mask).masked
    key = mix(
        mask.flatten(1).long() * counter_bits(0, 0, 1, mask[0].numel(), device=mask.device)
    ).sum(1)
    order = mix(key.unsqueeze(1) + cells).argsort(dim=1, stable=True)
    return Split(cells.gather(1, order[:, :count]), cells.gather(1, order[:, count:]))
