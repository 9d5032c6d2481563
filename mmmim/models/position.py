"""Position tables: fixed sin-cos in both conventions of the field, and resizing."""

from functools import lru_cache

import torch
from torch import Tensor

CONVENTIONS = ('column_first', 'row_first')


def _axis(positions: Tensor, dims: int) -> Tensor:
    """[sin, cos] of one coordinate: (G,) -> (G, dims) float64.

    Frequencies 1 / 10000 ** (i / (dims / 2)).
    """
    omega = 10000.0 ** -(torch.arange(dims // 2, dtype=torch.float64) / (dims // 2))
    angle = positions.double().unsqueeze(1) * omega
    return torch.cat([angle.sin(), angle.cos()], dim=1)


@lru_cache(maxsize=64)
def sincos_table(
    dims: int, grid: tuple[int, int], num_prefix: int = 0, convention: str = 'column_first'
) -> Tensor:
    """Fixed 2-D sin-cos position table, computed in float64.

    Args:
        dims: Width D, a multiple of 4.
        grid: (Gh, Gw).
        num_prefix: Rows of zeros in front (class and register tokens).
        convention: Which coordinate fills the first half of the width: ``'column_first'`` as in
            MAE, ``'row_first'`` as in MoCo v3, CAE and mmpretrain. The two differ by up to 2.0.

    Returns:
        (1, num_prefix + Gh * Gw, D) float32 on the CPU; shared, do not write to it.

    Raises:
        ValueError: If ``dims`` is no multiple of 4 or the convention is unknown.
    """
    if dims % 4:
        raise ValueError(f'a 2-D sin-cos table needs a width that is a multiple of 4, got {dims}.')
    if convention not in CONVENTIONS:
        raise ValueError(f'convention must be one of {CONVENTIONS}, got {convention!r}.')
    # Also when first asked for under torch.device('meta'), the cached table must be real.
    with torch.device('cpu'), torch.inference_mode(False), torch.no_grad():
        gh, gw = grid
        rows = _axis(torch.arange(gh), dims // 2).unsqueeze(1).expand(gh, gw, -1)
        columns = _axis(torch.arange(gw), dims // 2).unsqueeze(0).expand(gh, gw, -1)
        halves = (columns, rows) if convention == 'column_first' else (rows, columns)
        table = torch.cat(halves, dim=2).reshape(gh * gw, dims)
        table = torch.cat([table.new_zeros(num_prefix, dims), table])
        return table.float().unsqueeze(0)
