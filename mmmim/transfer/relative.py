"""Fitting relative position tables and LayerScale of the BEiT family to a model."""

import re

import torch.nn.functional as F
from torch import Tensor

from ..models.rel_pos import resize_table, table_rows
from .adapt import square_side

SHARED = 'rel_pos_bias.relative_position_bias_table'
_TABLE = re.compile(r'^(layers\.\d+\.attn|rel_pos_bias)\.relative_position_bias_table$')
_AXIS = re.compile(r'^layers\.\d+\.attn\.rel_pos_[hw]$')
WINDOW, GLOBAL = 'window_rel_pos', 'global_rel_pos'
_SCALES = (('attn.gamma1.weight', 'gamma_1'), ('ffn.gamma2.weight', 'gamma_2'))


def fit_layer_scale(state: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    """Give LayerScale the name it has in the model: that of a plain ViT, or of the BEiT family.

    Args:
        state: The file's encoder, changed in place.
        own: The model's state dict.
    """
    for name in list(state):
        for plain, beit in _SCALES:
            for old, new in ((plain, beit), (beit, plain)):
                stem = name.removesuffix(old)
                if stem != name and name not in own and stem + new in own:
                    state[stem + new] = state.pop(name)


def table_grid(rows: int) -> tuple[tuple[int, int], int] | None:
    """Square grid and prefix tokens that a table of ``rows`` is made for, or None."""
    for num_prefix in (1, 0):
        side = square_side(rows - 3 * num_prefix)
        if side is not None and side % 2:
            return ((side + 1) // 2, (side + 1) // 2), num_prefix
    return None


def fit_relative_positions(
    state: dict[str, Tensor],
    own: dict[str, Tensor],
    model_grid,
    grid: tuple[int, int] | None = None,
    mode: str = 'geometric',
) -> list[str]:
    """Fit the tables of a file to a model: share them out to blocks, resize them, or drop rows.

    A shared table starts the table of every block, as BEiT's fine-tuning does.

    Args:
        state: The file's encoder, changed in place.
        own: The model's state dict.
        model_grid (Callable): Gives (Gh, Gw) of the model.
        grid: The file's (Gh, Gw) where known; else that of the model if the table is as large, or
            a square one.
        mode: How tables follow another grid, see :func:`mmmim.models.rel_pos.resize_table`.

    Returns:
        Names of the tables that changed.

    Raises:
        ValueError: If the grid of the file cannot be told, or the model has no relative positions.
    """
    for name in [n for n in state if n.endswith('relative_position_index') and n not in own]:
        del state[name]  # constants, in the one order that there is
    tables = [name for name in own if _TABLE.match(name)]
    given = [name for name in state if _TABLE.match(name)]
    if given and not tables:
        raise ValueError(
            'it holds relative positions and the model has none: use a mmmim.MaskedBEiT with '
            "rel_pos='shared' or 'per_block', or pass min_matched=0 to leave them out."
        )
    if SHARED in state and SHARED not in own:
        table = state.pop(SHARED)
        state.update({name: table.clone() for name in tables})
    changed = []
    for name in tables:
        if name in state and state[name].shape != own[name].shape:
            state[name] = _fit(state[name], len(own[name]), tuple(model_grid()), grid, mode)
            changed.append(name)
    return changed + _fit_windows(state, own, model_grid, grid, mode)


def _fit_windows(state, own, model_grid, grid, mode) -> list[str]:
    """Tables of attention in windows: vectors per axis (ViTDet), or per offset (Li et al. 2021)."""
    changed = []
    for name in [n for n in own if n in state and state[n].shape != own[n].shape]:
        old, rows = state[name], len(own[name])
        if _AXIS.match(name) and old.shape[1] == own[name].shape[1]:
            # Linear, as ViTDet's code follows another size at run time.
            state[name] = F.interpolate(old.T[None].float(), size=rows, mode='linear')[0].T.to(old)
        elif name == GLOBAL:
            state[name] = _fit(old, rows, tuple(model_grid()), grid, mode)
        elif name == WINDOW:
            side = (square_side(rows) + 1) // 2  # windows are square
            state[name] = _fit(old, rows, (side, side), None, mode)
        else:
            continue
        changed.append(name)
    return changed


def _fit(table, rows, new_grid, grid, mode) -> Tensor:
    if grid is not None and len(table) in (table_rows(grid, 0), table_rows(grid, 1)):
        found = tuple(grid), int(len(table) == table_rows(grid, 1))
    else:
        found = table_grid(len(table))
    if found is None:
        raise ValueError(
            f'a relative position table has {len(table)} rows, which is no square grid: pass '
            'grid=(rows, columns) of the checkpoint.'
        )
    old_grid, num_prefix = found
    resized = resize_table(table, old_grid, new_grid, mode)
    return (
        resized[: len(resized) - 3] if num_prefix and rows == table_rows(new_grid, 0) else resized
    )
