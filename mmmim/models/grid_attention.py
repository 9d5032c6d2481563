"""Attention of a grid of tokens: in windows or over all of it, with relative positions.

Every term of the scores that depends on the query is written as more features of queries and keys,
so that no (L, L) matrix is stored, whatever the kernel: q' k'^T = q k^T + terms.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .attention import attend

# Added to the scores of what must not be seen: exp(-1e4) is 0, and it fits into float16.
_UNSEEN = -1e4
# Fused kernels want widths in multiples of this.
_ALIGNMENT = 8


def partition(x: Tensor, grid: tuple[int, int], side: int) -> Tensor:
    """Cut a grid of tokens into square windows.

    Args:
        x: (N, Gh * Gw, D), row-major; padded with zeros at the bottom and on the right.
        grid: (Gh, Gw).
        side: Cells per side of a window.

    Returns:
        (N * windows, side * side, D), windows of an image in row-major order.
    """
    down, right = (-cells % side for cells in grid)
    x = F.pad(x.unflatten(1, tuple(grid)), (0, 0, 0, right, 0, down))
    x = x.unflatten(2, (-1, side)).unflatten(1, (-1, side))  # (N, rows, side, columns, side, D)
    return x.transpose(2, 3).reshape(-1, side * side, x.shape[-1])


def unpartition(x: Tensor, grid: tuple[int, int], side: int) -> Tensor:
    """Put windows together again: the inverse of :func:`partition`, without the padding."""
    rows, columns = (-(-cells // side) for cells in grid)
    x = x.view(-1, rows, columns, side, side, x.shape[-1]).transpose(2, 3)
    x = x.flatten(3, 4).flatten(1, 2)  # (N, rows * side, columns * side, D)
    return x[:, : grid[0], : grid[1]].flatten(1, 2)


def window_padding(grid: tuple[int, int], side: int, device=None) -> Tensor | None:
    """(windows, side * side) bool, True = no cell of the image; None if windows fill the grid."""
    if all(cells % side == 0 for cells in grid):
        return None
    inside = torch.ones(1, grid[0] * grid[1], 1, device=device)
    return partition(inside, grid, side).squeeze(-1) == 0


def axis_offsets(table: Tensor, cells: int) -> Tensor:
    """Rows of a table of offsets along one axis, by position of query and key.

    Args:
        table: (2 * cells' - 1, d), offsets (query minus key) from -cells' + 1 upwards; stretched
            linearly where ``cells`` differs, as detectron2's ViTDet does.
        cells: Positions along the axis.

    Returns:
        (cells, cells, d).
    """
    if len(table) != 2 * cells - 1:
        table = F.interpolate(table.T[None].float(), size=2 * cells - 1, mode='linear')[0].T
    place = torch.arange(cells, device=table.device)
    return table[place.unsqueeze(1) - place + cells - 1]


def offset_bias(table: Tensor, grid: tuple[int, int]) -> Tensor:
    """Bias out of a table of 2-D offsets, by strides instead of an index of (L, L) integers.

    Args:
        table: ((2 * Gh - 1) * (2 * Gw - 1), heads), rows ordered as in
            :func:`mmmim.models.rel_pos.relative_index`.
        grid: (Gh, Gw).

    Returns:
        (heads, L, L).
    """
    gh, gw = grid
    spans = table.view(2 * gh - 1, 2 * gw - 1, -1).unfold(0, gh, 1).unfold(1, gw, 1)
    bias = spans.permute(2, 0, 1, 3, 4).flip(3, 4)  # (heads, Gh, Gw, Gh, Gw)
    return bias.reshape(-1, gh * gw, gh * gw)


def decomposed_features(
    q: Tensor, rows: Tensor, columns: Tensor, grid: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Relative positions of ViTDet as features: the score of query and key gains
    q . rows[offset down] + q . columns[offset right] (arXiv:2203.16527, appendix A; MViTv2).

    Args:
        q: (N, heads, L, d), not scaled.
        rows, columns: Tables, see :func:`axis_offsets`.
        grid: (Gh, Gw), L = Gh * Gw.

    Returns:
        (N, heads, L, Gh + Gw) of the queries, (L, Gh + Gw) of the keys: one-hot row and column.
    """
    cells = q.unflatten(2, tuple(grid))  # (N, heads, Gh, Gw, d)
    down = torch.einsum('nhijd,ikd->nhijk', cells, axis_offsets(rows, grid[0]).to(q.dtype))
    right = torch.einsum('nhijd,jkd->nhijk', cells, axis_offsets(columns, grid[1]).to(q.dtype))
    place = torch.arange(grid[0] * grid[1], device=q.device)
    keys = (F.one_hot(place // grid[1], grid[0]), F.one_hot(place % grid[1], grid[1]))
    return torch.cat([down, right], dim=-1).flatten(2, 3), torch.cat(keys, dim=1).to(q.dtype)


@dataclass(frozen=True)
class GridAttention:
    """How one block attends: around its projections, for one size of image.

    Attributes:
        grid: (Gh, Gw) of the tokens; there are no prefix tokens.
        side: Cells per side of a window, 0 for one window over everything.
        see_padding: Let tokens attend to the zeros that fill up windows at the border, as
            detectron2's ViTDet does. Otherwise nothing beyond the image is seen.
        bias: (heads, T, T) on the scores of each window, or None.
    """

    grid: tuple[int, int]
    side: int = 0
    see_padding: bool = False
    bias: Tensor | None = None

    def __call__(self, attention, x: Tensor) -> Tensor:
        """
        Args:
            attention (SelfAttention): With ``rel_pos_h`` and ``rel_pos_w`` if its relative
                positions are decomposed.
            x: (N, L, D), row-major.

        Returns:
            (N, L, D).
        """
        if not self.side:
            return attention.mix(x, self._scores(attention, self.grid))
        hidden = None if self.see_padding else window_padding(self.grid, self.side, x.device)
        scores = self._scores(attention, (self.side, self.side), hidden)
        windows = attention.mix(partition(x, self.grid, self.side), scores)
        return unpartition(windows, self.grid, self.side)

    def _scores(self, attention, grid, hidden=None) -> Callable:
        """``attend`` with the terms of this block."""
        tables = getattr(attention, 'rel_pos_h', None), getattr(attention, 'rel_pos_w', None)
        if tables[0] is None and hidden is None and self.bias is None:
            return attend

        def attend_with_terms(q, k, v, dropout_p=0.0):
            more_q, more_k = [], []
            if tables[0] is not None:
                features, places = decomposed_features(q, *tables, grid)
                more_q.append(features)
                more_k.append(places.expand(*k.shape[:2], -1, -1))
            if hidden is not None:
                unseen = (hidden * _UNSEEN).to(k.dtype).repeat(len(k) // len(hidden), 1)
                more_q.append(torch.ones_like(q[..., :1]))
                more_k.append(unseen[:, None, :, None].expand(-1, k.shape[1], -1, -1))
            scale = q.shape[-1] ** -0.5
            bias = None if self.bias is None else self.bias.to(q.dtype).unsqueeze(0)
            q, k = _join(q * scale, more_q), _join(k, more_k)
            return attend(q, k, v, dropout_p, bias, scale=1.0)

        return attend_with_terms


def _join(x: Tensor, more: list[Tensor]) -> Tensor:
    """More features, and zeros up to a width that fused kernels take."""
    if not more:
        return x
    width = x.shape[-1] + sum(part.shape[-1] for part in more)
    gap = x.new_zeros(*x.shape[:-1], -width % _ALIGNMENT)
    return torch.cat([x, *(part.to(x.dtype) for part in more), gap], dim=-1)
