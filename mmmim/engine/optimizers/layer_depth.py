"""Which layer of the backbone a parameter belongs to."""

import re

_BLOCK = re.compile(r'(?:^|\.)(?:blocks|layers)\.(\d+)\.')
_STAGE = re.compile(r'(?:^|\.)stages\.\d+\.')
_BOTTOM = re.compile(r'patch_embed|pos_embed|(^|\.)\w*tokens?$')
PREFIX = 'backbone.'


def layer_lookup(model, rate):
    """Make the map from parameter name to layer id for one model.

    Args:
        model (nn.Module): With a ``backbone`` unless ``rate`` is 1. A backbone with mmpretrain's
            ``get_layer_depth(name, prefix) -> (id, count)`` answers itself; else ``blocks.N`` or
            ``layers.N`` in the names is read.
        rate (float): Layer decay rate.

    Returns:
        tuple: Function from a name to an id in [0, num_layers], and ``num_layers``, the id of
            everything at full rate.

    Raises:
        ValueError: If ``rate`` is below 1 and the layers cannot be told.
    """
    if rate == 1.0:
        return (lambda name: 0), 0
    backbone = getattr(model, 'backbone', None)
    if backbone is None:
        raise ValueError(
            f'layer_decay_rate={rate} needs a model with a `backbone`, and '
            f'{type(model).__name__} has none: set it to 1.0, or use custom_keys with lr_mult.'
        )
    if hasattr(backbone, 'get_layer_depth'):
        return _from_backbone(backbone)
    return _from_names(backbone, rate)


def _from_backbone(backbone):
    any_name = PREFIX + next(name for name, _ in backbone.named_parameters())
    num_layers = backbone.get_layer_depth(any_name, PREFIX)[1] - 1

    def layer_of(name):
        if not name.startswith(PREFIX):
            return num_layers
        layer = backbone.get_layer_depth(name, PREFIX)[0]
        if not 0 <= layer <= num_layers:
            raise ValueError(
                f'{type(backbone).__name__}.get_layer_depth puts {name} into layer {layer}, '
                f'outside 0..{num_layers}.'
            )
        return layer

    return layer_of, num_layers


def _from_names(backbone, rate):
    names = [name for name, _ in backbone.named_parameters()]
    found = [_BLOCK.search(name) for name in names]
    if not any(found) or any(_STAGE.search(name) for name in names):
        raise ValueError(
            f'layer_decay_rate={rate}: the layers of {type(backbone).__name__} cannot be read from '
            f'its parameter names (such as {names[0] if names else "none"!r}); give the class '
            '`get_layer_depth(name, prefix)` returning (layer id, number of layers) as mmpretrain '
            'does, or set the rate to 1.0.'
        )
    num_layers = max(int(match[1]) for match in found if match) + 2

    def layer_of(name):
        if not name.startswith(PREFIX):
            return num_layers
        name = name[len(PREFIX) :]
        block = _BLOCK.search(name)
        if block:
            return int(block[1]) + 1
        return 0 if _BOTTOM.search(name) else num_layers

    return layer_of, num_layers
