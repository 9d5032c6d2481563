"""Whole models of BEiT and SimMIM: their authors' files and mmpretrain's."""

import torch
from torch import Tensor

from ...models.rel_pos import relative_index, table_rows
from ..adapt import square_side
from ..layouts import State, WholeModel, apply_rules
from .timm import TO_MMPRETRAIN

# LayerScale keeps its name in blocks of the BEiT family.
_BLOCK = tuple(rule for rule in TO_MMPRETRAIN if 'gamma' not in rule[0])
_TABLE = 'rel_pos_bias.relative_position_bias_table'


def _converter(encoder: str, head: str, rules=(), shuffled=False):
    """To ``MaskedImageModeling`` of ``MaskedBEiT`` or ``MaskedSwin`` and ``LinearDecoder``.

    Args:
        encoder: Prefix of the encoder's names.
        head: Prefix of the linear layer's.
        rules: To mmpretrain's names.
        shuffled: Whether the layer is a convolution in front of a pixel shuffle.
    """

    def convert(state: State) -> State:
        inside = {n[len(encoder) :]: v for n, v in state.items() if n.startswith(encoder)}
        layer = {n[len(head) :]: v for n, v in state.items() if n.startswith(head)}
        inside = {n: v for n, v in inside.items() if not (encoder + n).startswith(head)}
        index = inside.pop('rel_pos_bias.relative_position_index', None)
        if index is not None:
            _check_index(index, inside[_TABLE])
        ours = {f'backbone.{apply_rules(n, rules)}': value for n, value in inside.items()}
        if shuffled:
            channels = ours['backbone.patch_embed.projection.weight'].shape[1]
            layer = {name: _unshuffle(value, channels) for name, value in layer.items()}
        return {**ours, **{f'neck.decoder_pred.{name}': value for name, value in layer.items()}}

    return convert


def _check_index(index: Tensor, table: Tensor) -> None:
    """The order of the table's rows, which a buffer of the file tells, must be the known one."""
    side = square_side(len(index) - 1)
    grid = None if side is None else (side, side)
    if index.is_meta:
        return
    fits = grid is not None and len(table) == table_rows(grid, 1)
    if not fits or not torch.equal(index.long(), relative_index(grid, 1)):
        raise ValueError(
            'relative_position_index is not that of BEiT on a square grid with a class token, so '
            'the relative positions of this file cannot be told.'
        )


def _unshuffle(value: Tensor, channels: int) -> Tensor:
    """Outputs in the order (C, p, p) of a pixel shuffle to (p, p, C), kernels of 1x1 to rows."""
    side = square_side(value.shape[0] // channels)
    value = value.reshape(channels, side, side, *value.shape[1:2])
    return value.movedim(0, 2).flatten(0, 2)


def _without_tokenizer(convert):
    def converted(state: State) -> State:
        return convert({n: v for n, v in state.items() if not n.startswith('target_generator.')})

    return converted


LINEAR_MODELS = (
    WholeModel(
        'microsoft/unilm (BEiT)',
        marks=('blocks.0.norm1.weight', 'lm_head.weight', 'mask_token'),
        convert=_converter('', 'lm_head.', _BLOCK),
    ),
    WholeModel(
        'microsoft/SimMIM',
        marks=('encoder.blocks.0.norm1.weight', 'encoder.mask_token', 'decoder.0.weight'),
        convert=_converter('encoder.', 'decoder.0.', _BLOCK, shuffled=True),
    ),
    WholeModel(
        'BEiT of mmpretrain',
        marks=('backbone.layers.0.ln1.weight', 'head.cls_head.weight'),
        convert=_without_tokenizer(_converter('backbone.', 'head.cls_head.')),
    ),
    WholeModel(
        'SimMIM of mmpretrain',
        marks=('backbone.stages.0.blocks.0.norm1.weight', 'neck.decoder.0.weight'),
        convert=_converter('backbone.', 'neck.decoder.0.', shuffled=True),
    ),
)
