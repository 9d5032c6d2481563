"""Attention in windows, with some global blocks, and relative positions, of a plain ViT."""

import torch
import torch.nn as nn
from torch import Tensor

from ..grid_attention import GridAttention, offset_bias
from ..rel_pos import RESIZES, resize_table, table_rows

REL_POS = ('none', 'decomposed', 'window_tables')
SHARED_TABLES = ('window_rel_pos', 'global_rel_pos')


class Windows:
    """How a plain ViT reads large images in detection; mixed into :class:`MaskedViT`.

    Class attributes of the parent: ``layers``, ``grid``, ``num_prefix``, ``num_layers``,
    ``arch_settings``, ``frozen_stages``, ``masked``.

    * ``window_size`` (int): Cells per side of the windows that all blocks but ``global_blocks``
      attend in; 16 in Li et al. 2021 (arXiv:2111.11429), 14 in ViTDet (arXiv:2203.16527). Any
      image fits: windows start at the top left, and what they lack at the border is not seen. 0
      for no windows.
    * ``global_blocks`` (Sequence[int]): Blocks that attend to everything: the last of each quarter
      in both papers.
    * ``see_padding`` (bool): Let the zeros that fill up windows be attended to, as in ViTDet's
      code.
    * ``rel_pos`` (str): 'decomposed', ViTDet's: per block a table of vectors for rows and one for
      columns, multiplied with the queries. 'window_tables', Li's: a number per head and offset
      (Swin's, arXiv:2103.14030), one table for all windowed blocks and one for all global ones.
      All tables start at 0.
    * ``rel_pos_resize`` (str): How the table of the global blocks follows another input size, see
      :func:`~mmmim.models.rel_pos.resize_table` (neither code allows one). Decomposed ones are
      stretched linearly, as in ViTDet's code.
    """

    def _build_windows(self, window_size, global_blocks, see_padding, rel_pos, rel_pos_resize):
        self.window_size, self.global_blocks = window_size, tuple(global_blocks)
        self.see_padding, self.rel_pos, self.rel_pos_resize = see_padding, rel_pos, rel_pos_resize
        self._check_windows()
        if rel_pos == 'decomposed':
            dims = self.embed_dims // self.arch_settings['num_heads']
            for i, layer in enumerate(self.layers):
                for name, cells in zip(('rel_pos_h', 'rel_pos_w'), self._cells(i)):
                    setattr(layer.attn, name, nn.Parameter(torch.zeros(2 * cells - 1, dims)))
        elif rel_pos == 'window_tables':
            for name in {self._table_of(i): None for i in range(self.num_layers)}:
                grid = self.grid if name == 'global_rel_pos' else (window_size,) * 2
                heads = self.arch_settings['num_heads']
                setattr(self, name, nn.Parameter(torch.zeros(table_rows(grid, 0), heads)))
        self._freeze_stages()

    def _check_windows(self):
        for name, allowed in (('rel_pos', REL_POS), ('rel_pos_resize', RESIZES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f'{name} must be one of {allowed}, got {getattr(self, name)!r}.')
        if self.window_size < 0:
            raise ValueError(f'window_size must be 0 (no windows) or more, got {self.window_size}.')
        blocks = set(self.global_blocks)
        if not blocks <= set(range(self.num_layers)):
            raise ValueError(
                f'global_blocks {self.global_blocks} do not fit {self.num_layers} blocks '
                f'(0..{self.num_layers - 1}).'
            )
        if blocks and not self.window_size:
            raise ValueError(
                f'global_blocks {self.global_blocks} need window_size: without windows all blocks '
                'are global.'
            )
        if self.num_prefix and (self.window_size or self.rel_pos != 'none'):
            raise ValueError(
                'window_size and rel_pos need with_cls_token=False: a class token has no place in '
                "the grid (out_type='featmap' does not need it)."
            )

    def _is_global(self, block: int) -> bool:
        return not self.window_size or block in self.global_blocks

    def _cells(self, block: int) -> tuple[int, int]:
        """(Gh, Gw) that a block attends over."""
        return self.grid if self._is_global(block) else (self.window_size, self.window_size)

    def _table_of(self, block: int) -> str:
        return 'global_rel_pos' if self._is_global(block) else 'window_rel_pos'

    def _freeze_stages(self):
        """As the parent; shared tables go with the first block."""
        super()._freeze_stages()
        for name in SHARED_TABLES if self.frozen_stages > 0 else ():
            if hasattr(self, name):
                getattr(self, name).requires_grad = False

    def grid_attentions(self, grid, mask: Tensor | None = None) -> list[GridAttention | None]:
        """How each block attends on a grid (Gh, Gw); None where it attends as ever.

        Raises:
            ValueError: If tokens are left out, so that there is no grid.
        """
        if not self.window_size and self.rel_pos == 'none':
            return [None] * self.num_layers
        if mask is not None and self.masked == 'drop':
            raise ValueError(
                "window_size and rel_pos need all cells, and masked='drop' leaves out masked ones: "
                "use masked='replace', or windows in dense tasks alone."
            )
        sides = [0 if self._is_global(i) else self.window_size for i in range(self.num_layers)]
        biases = self._biases(tuple(grid))
        return [
            GridAttention(tuple(grid), side, self.see_padding, biases.get(self._table_of(i)))
            for i, side in enumerate(sides)
        ]

    def _biases(self, grid) -> dict[str, Tensor]:
        """Biases out of shared tables, by the table's name: (heads, T, T)."""
        biases = {}
        for name in SHARED_TABLES if self.rel_pos == 'window_tables' else ():
            if not hasattr(self, name):
                continue
            table = getattr(self, name)
            if name == 'window_rel_pos':
                biases[name] = offset_bias(table, (self.window_size,) * 2)
            else:
                resized = resize_table(table, self.grid, grid, self.rel_pos_resize)
                biases[name] = offset_bias(resized, grid)
        return biases
