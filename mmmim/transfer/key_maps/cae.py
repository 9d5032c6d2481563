"""Whole models of CAE: Atten4Vis/CAE, lxtGH/CAE and mmpretrain."""

import logging

from mmengine.logging import print_log

from ...models.position import find_convention
from ..adapt import square_side
from ..layouts import State, WholeModel, apply_rules
from .timm import TO_MMPRETRAIN

# LayerScale keeps its name in blocks of the BEiT family.
_BLOCK = tuple(rule for rule in TO_MMPRETRAIN if 'gamma' not in rule[0])
_DECODER = tuple((old.replace(r'^(layers', '^(decoders'), new) for old, new in _BLOCK)
_NECK = (
    (r'^(regresser|pretext_neck)\.regressor_blocks\.', 'regressors.'),
    (r'^(regressors\.\d+)\.norm1_([qkv])\.', r'\1.norm1_\2_cross.'),
    (r'^(regressors\.\d+)\.mlp_cross\.fc1\.', r'\1.ffn.layers.0.0.'),
    (r'^(regressors\.\d+)\.mlp_cross\.fc2\.', r'\1.ffn.layers.1.'),
    (r'^(regresser|pretext_neck)\.norm\.', 'norm_regressor.'),
    (r'^(decoder|pretext_neck)\.decoder_blocks\.', 'decoders.'),
    (r'^(decoder\.norm|pretext_neck\.norm2)\.', 'norm_decoder.'),
    (r'^(decoder|pretext_neck)\.head\.', 'head.'),
    (r'^encoder_to_(regresser|decoder)\.', 'width_projection.0.'),
    (r'^encoder_to_(regresser|decoder)_norm\.', 'width_projection.1.'),
    *_DECODER,
)
_COPIES = ('alignment_encoder.', 'teacher.')


def _convert(state: State) -> State:
    """To ``LatentAlignment`` of ``MaskedBEiT`` and ``LatentRegressor``."""
    ours, copy = {}, {}
    for name, value in state.items():
        if name == 'rd_pos_embed':
            _check_positions(value)
        elif name.startswith(_COPIES):
            copy[name.partition('.')[2]] = value
        elif name.startswith('encoder.'):
            ours['backbone.' + apply_rules(name[8:], _BLOCK)] = value
        else:
            ours['neck.' + apply_rules(name, _NECK)] = value
    encoder = {name[8:]: value for name, value in state.items() if name.startswith('encoder.')}
    _check_copy(copy, encoder)
    return ours


def _check_positions(table) -> None:
    """The regressor's positions are a fixed table, which is not kept in ours."""
    side = square_side(table.shape[1] - 1)
    if side is None or find_convention(table[:, 1:], (side, side)) != 'row_first':
        raise ValueError(
            'rd_pos_embed is not the fixed sin-cos table of CAE, so this regressor cannot be '
            'loaded: use the encoder alone, with `pretrained=`.'
        )


def _check_copy(copy: State, encoder: State) -> None:
    """The alignment encoder repeats the encoder, tensor by tensor."""
    odd = sorted(set(copy) ^ set(encoder))
    odd += [n for n in copy if n in encoder and copy[n].shape != encoder[n].shape]
    if odd:
        raise ValueError(f'the alignment encoder is no copy of the encoder: {", ".join(odd[:4])}.')
    changed = [name for name, value in copy.items() if not value.equal(encoder[name])]
    if changed:
        print_log(
            f'The alignment encoder of the file differs from its encoder in {len(changed)} tensors '
            f'({changed[0]}, ...) and is not used.',
            'current',
            logging.WARNING,
        )


def _from_mmpretrain(state: State) -> State:
    """Its names are ours; the copy of the encoder and the tokenizer go."""
    copy = {n[8:]: value for n, value in state.items() if n.startswith('teacher.')}
    if copy:
        encoder = {n[9:]: value for n, value in state.items() if n.startswith('backbone.')}
        _check_copy(copy, encoder)
    return {name: value for name, value in state.items() if name.startswith(('backbone.', 'neck.'))}


CAE_MODELS = (
    WholeModel(
        'Atten4Vis/CAE',
        marks=('encoder.blocks.0.norm1.weight', 'regresser.norm.weight'),
        convert=_convert,
    ),
    WholeModel(
        'lxtGH/CAE',
        marks=('encoder.blocks.0.norm1.weight', 'pretext_neck.norm.weight'),
        convert=_convert,
    ),
    WholeModel(
        'CAE of mmpretrain',
        marks=('teacher.layers.0.ln1.weight', 'neck.norm_regressor.weight'),
        convert=_from_mmpretrain,
    ),
)
