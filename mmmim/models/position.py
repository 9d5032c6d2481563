"""Position tables: fixed sin-cos in both conventions of the field, 1-D sinusoid, and resizing."""

from functools import lru_cache

import torch
import torch.nn as nn
from torch import Tensor

CONVENTIONS = ('column_first', 'row_first')
FIXED_TABLES = ('sincos', 'sincos_row_first', 'sinusoid_1d')


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


@lru_cache(maxsize=64)
def sinusoid_table(dims: int, length: int, num_prefix: int = 0) -> Tensor:
    """Fixed 1-D sinusoid over the cells in row-major order, computed in float64.

    Entries 2i and 2i + 1 are sine and cosine of k / 10000 ** (2i / D) (arXiv:1706.03762, section
    3.5); the position table of Beyond Masking's released code.

    Args:
        dims: Width D, even.
        length: Cells L.
        num_prefix: Rows of zeros in front.

    Returns:
        (1, num_prefix + L, D) float32 on the CPU; shared, do not write to it.

    Raises:
        ValueError: If ``dims`` is odd.
    """
    if dims % 2:
        raise ValueError(f'a 1-D sinusoid table needs an even width, got {dims}.')
    with torch.device('cpu'), torch.inference_mode(False), torch.no_grad():
        halves = _axis(torch.arange(length), dims)  # sines, then cosines
        table = torch.stack(halves.chunk(2, dim=1), dim=2).flatten(1)
        return torch.cat([table.new_zeros(num_prefix, dims), table]).float().unsqueeze(0)


def fixed_table(kind: str, dims: int, grid: tuple[int, int], num_prefix: int = 0) -> Tensor:
    """A fixed position table by the name that configs use, one of ``FIXED_TABLES``.

    Returns:
        (1, num_prefix + Gh * Gw, D) float32 on the CPU; shared, do not write to it.

    Raises:
        ValueError: If the name is unknown.
    """
    if kind not in FIXED_TABLES:
        raise ValueError(f'pos_embed must be one of {FIXED_TABLES}, got {kind!r}.')
    if kind == 'sinusoid_1d':
        return sinusoid_table(dims, grid[0] * grid[1], num_prefix)
    convention = 'row_first' if kind == 'sincos_row_first' else 'column_first'
    return sincos_table(dims, tuple(grid), num_prefix, convention)


def find_convention(cells: Tensor, grid: tuple[int, int], atol: float = 1e-2) -> str | None:
    """Which sin-cos convention made a table, or None if none did.

    Args:
        cells: (1, Gh * Gw, D), without prefix rows.
        grid: (Gh, Gw).
        atol: Largest difference; loose enough for tables stored as bfloat16.
    """
    if cells.shape[-1] % 4:
        return None
    for convention in CONVENTIONS:
        table = sincos_table(cells.shape[-1], tuple(grid), convention=convention)
        if torch.allclose(cells.float().cpu(), table, atol=atol, rtol=0):
            return convention
    return None


def follow_table(module: nn.Module, incompatible_keys=None) -> None:
    """Hook after loading a state dict: recompute positions in the convention of the loaded table.

    The table is the only trace of the convention in a checkpoint, so this runs wherever weights
    come from, a test or a resumed run included.

    Args:
        module: Has ``pos_embed``, ``pos_type``, ``pos_resize``, ``grid`` and ``num_prefix``.
        incompatible_keys: Unused; torch passes it.

    Raises:
        ValueError: If the module recomputes its positions and the table is not sin-cos.
    """
    if module.pos_resize != 'recompute' or module.pos_embed.is_meta:
        return
    convention = find_convention(module.pos_embed.detach()[:, module.num_prefix :], module.grid)
    if convention is None:
        raise ValueError(
            "pos_resize='recompute', but the position table loaded is not sin-cos: "
            "use pos_resize='interpolate'."
        )
    module.pos_type = 'sincos' if convention == 'column_first' else 'sincos_row_first'
