"""Relative position bias: a learnt number per head and offset, on any grid and any set of tokens.

BEiT (arXiv:2106.08254), as in its code: Swin's tables with rows for a class token.
"""

from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from . import tokens

RESIZES = ('geometric', 'bicubic')


class RelativeLayout(NamedTuple):
    """Where the tokens of a forward pass lie relative to each other.

    Attributes:
        grid: (Gh, Gw) of the image.
        index: (T, T), or (N, T, T) where samples differ, int64: rows of a table of that grid, by
            query and key.
    """

    grid: tuple[int, int]
    index: Tensor


def table_rows(grid: tuple[int, int], num_prefix: int) -> int:
    """Rows of a table: one per offset, and three for the class token if there is one."""
    return (2 * grid[0] - 1) * (2 * grid[1] - 1) + 3 * num_prefix


@lru_cache(maxsize=64)
def relative_index(grid: tuple[int, int], num_prefix: int, device=None) -> Tensor:
    """Row of the table for each query and key.

    Offsets (rows, columns) of query minus key run row-major from (-Gh + 1, -Gw + 1). The last three
    rows are class token to patch, patch to class token, class token to itself.

    Args:
        grid: (Gh, Gw).
        num_prefix: 1 with a class token, else 0.
        device: Where to make it.

    Returns:
        (P + L, P + L) int64; shared, do not write to it.
    """
    gh, gw = grid
    with torch.inference_mode(False):
        cells = torch.arange(gh * gw, device=device)
        rows, columns = cells // gw, cells % gw
        down = rows.unsqueeze(1) - rows + gh - 1  # (L, L)
        right = columns.unsqueeze(1) - columns + gw - 1
        index = down * (2 * gw - 1) + right
        if num_prefix == 0:
            return index
        offsets = table_rows(grid, 0)
        index = F.pad(index, (1, 0, 1, 0))
        index[0, :], index[:, 0], index[0, 0] = offsets, offsets + 1, offsets + 2
        return index


def relative_layout(
    grid: tuple[int, int], num_prefix: int, device, mask: Tensor | None = None
) -> RelativeLayout:
    """The layout of all tokens, or with a mask of prefix and visible ones.

    Args:
        grid: (Gh, Gw).
        num_prefix: 0 or 1.
        device: That of the tokens.
        mask: (N, Gh, Gw) bool, True = left out.
    """
    index = relative_index(tuple(grid), num_prefix, device)
    if mask is not None:
        cells = F.pad(tokens.split(mask).visible + num_prefix, (num_prefix, 0))  # (N, T)
        index = index[cells.unsqueeze(2), cells.unsqueeze(1)]
    return RelativeLayout(tuple(grid), index)


def relative_bias(
    table: Tensor, grid: tuple[int, int], layout: RelativeLayout, mode: str = 'geometric'
) -> Tensor:
    """Bias on the attention scores.

    Args:
        table: (rows, heads), made for ``grid``.
        grid: (Gh, Gw).
        layout: Tokens of this pass, on any grid.
        mode: How the table follows another grid, see :func:`resize_table`.

    Returns:
        (1 or N, heads, T, T).
    """
    table = resize_table(table, grid, layout.grid, mode)
    bias = F.embedding(layout.index, table).movedim(-1, -3)
    return bias if bias.dim() == 4 else bias.unsqueeze(0)


def resize_table(
    table: Tensor, old: tuple[int, int], new: tuple[int, int], mode: str = 'geometric'
) -> Tensor:
    """A table for another grid; differentiable, rows of the class token are kept.

    Args:
        table: (rows, heads) for the grid ``old``.
        old: (Gh, Gw).
        new: (Gh', Gw').
        mode: 'bicubic' scales the offsets evenly. 'geometric' is BEiT's: known offsets are spread
            in a geometric progression, near ones keeping their meaning, with a cubic spline in
            between.

    Returns:
        (rows', heads).

    Raises:
        ValueError: If ``mode`` is unknown or the table was not made for ``old``.
    """
    if mode not in RESIZES:
        raise ValueError(f'rel_pos_resize must be one of {RESIZES}, got {mode!r}.')
    if tuple(old) == tuple(new):
        return table
    count, (height, width) = table_rows(old, 0), (2 * side - 1 for side in old)
    if len(table) not in (count, count + 3):
        raise ValueError(
            f'a relative position table of {len(table)} rows is not made for a grid of {old}, '
            f'which has {count} offsets (and 3 rows for the class token).'
        )
    maps = table[:count].T.reshape(-1, height, width).float()
    sides = [2 * side - 1 for side in new]
    if mode == 'bicubic':
        maps = F.interpolate(maps[None], size=sides, mode='bicubic', align_corners=False)[0]
    else:
        rows, columns = (_geometric(*pair).to(maps) for pair in zip((height, width), sides))
        with torch.autocast(maps.device.type, enabled=False):
            maps = rows @ maps @ columns.T
    return torch.cat([maps.flatten(1).T.to(table.dtype), table[count:]])


@lru_cache(maxsize=64)
def _geometric(old: int, new: int) -> Tensor:
    """(new, old) float64: values at offsets -(new // 2)..new // 2 from those at spread offsets.

    The ratio lets ``old // 2`` steps reach ``new // 2``; it is sought in [1.01, 1.5] as BEiT does.
    """
    low, high = 1.01, 1.5
    while high - low > 1e-6:
        ratio = (low + high) / 2
        reach = (1 - ratio ** (old // 2)) / (1 - ratio)
        low, high = (low, ratio) if reach > new // 2 else (ratio, high)
    with torch.device('cpu'), torch.inference_mode(False), torch.no_grad():
        steps = torch.cumsum(ratio ** torch.arange(old // 2, dtype=torch.float64), 0)
        knots = torch.cat([-steps.flip(0), torch.zeros(1, dtype=torch.float64), steps])
        places = torch.arange(-(new // 2), new // 2 + 1, dtype=torch.float64)
        return spline_matrix(knots, places.clamp(knots[0], knots[-1]))


def spline_matrix(knots: Tensor, places: Tensor) -> Tensor:
    """Cubic spline interpolation as a matrix.

    Twice continuously differentiable, with one polynomial on the first two and on the last two
    intervals ("not a knot"): the spline that scipy's and FITPACK's interpolation give.

    Args:
        knots: (K,) float64, rising.
        places: (M,) float64, within the knots.

    Returns:
        (M, K) float64; times values at the knots it gives values at the places. Linear for K < 4.
    """
    count, gaps = len(knots), knots.diff()
    eye = torch.eye(count, dtype=torch.float64)
    left = (torch.searchsorted(knots, places, right=True) - 1).clamp(0, count - 2)
    h, right_part = gaps[left].unsqueeze(1), (places - knots[left]).unsqueeze(1)
    b = right_part / h
    a = 1 - b
    linear = a * eye[left] + b * eye[left + 1]
    if count < 4:
        return linear
    bend = torch.zeros(count, count, dtype=torch.float64)  # of second derivatives
    slope = torch.zeros_like(bend)
    for k in range(1, count - 1):
        before, after = gaps[k - 1], gaps[k]
        bend[k, k - 1], bend[k, k], bend[k, k + 1] = before, 2 * (before + after), after
        slope[k, k - 1], slope[k, k] = 6 / before, -6 / before - 6 / after
        slope[k, k + 1] = 6 / after
    for row, k in ((0, 1), (count - 1, count - 2)):  # equal third derivatives around knot k
        bend[row, k - 1], bend[row, k + 1] = gaps[k], gaps[k - 1]
        bend[row, k] = -gaps[k] - gaps[k - 1]
    second = torch.linalg.solve(bend, slope)  # (K, K)
    curve = (a**3 - a) * second[left] + (b**3 - b) * second[left + 1]
    return linear + curve * h**2 / 6


class RelativePositionBias(nn.Module):
    """A table shared by all blocks, at zero in the beginning as in BEiT's code.

    Args:
        grid (tuple[int, int]): (Gh, Gw) it is made for.
        num_heads (int): Heads.
        num_prefix (int): 1 with a class token, else 0.
        mode (str): See :func:`resize_table`.
    """

    def __init__(self, grid, num_heads, num_prefix=1, mode='geometric'):
        super().__init__()
        self.grid, self.mode = tuple(grid), mode
        self.relative_position_bias_table = nn.Parameter(
            torch.zeros(table_rows(grid, num_prefix), num_heads)
        )

    def forward(self, layout: RelativeLayout) -> Tensor:
        """(1 or N, heads, T, T)."""
        return relative_bias(self.relative_position_bias_table, self.grid, layout, self.mode)
