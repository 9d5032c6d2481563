"""Optimizer groups with layer-wise learning-rate decay, for all three frameworks."""

import difflib
import re

from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS

from mmmim.registry import OPTIM_WRAPPER_CONSTRUCTORS

from .layer_depth import layer_lookup

PARAMWISE_DEFAULTS = dict(
    layer_decay_rate=1.0,
    flat_decay_mult=0.0,
    pos_embed_decay_mult=0.0,
    token_decay_mult=1.0,
    custom_keys={},
)
_TABLE = re.compile(r'pos_embed|rel_pos|relative_position')
_TOKEN = re.compile(r'(^|\.)\w*tokens?$')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayOptimWrapperConstructor:
    """Build the optimizer with as few parameter groups as the settings allow.

    The learning rate of a backbone parameter is ``lr * rate**(depth + 1 - id)`` with id 0 for patch
    embedding, tokens and position tables, k + 1 for block k and depth + 1 for the rest (MAE,
    arXiv:2111.06377, appendix A.1; the same numbers as BEiT, CAE and ViTDet use). Necks and heads
    get the full rate. Parameters of equal settings share a group, since multi-tensor and fused
    optimizers lose their advantage on one group per tensor.

    Args:
        optim_wrapper_cfg (dict): Wrapper with its ``optimizer``.
        paramwise_cfg (dict, optional): Any of

            - ``layer_decay_rate`` (float): 1.0 switches the decay off.
            - ``flat_decay_mult`` (float): weight-decay factor of 1-D tensors and biases.
            - ``pos_embed_decay_mult`` (float): of absolute and relative position tables.
            - ``token_decay_mult`` (float): of class, mask and query tokens. Official MAE decays
              them in pre-training (``1.0``) and not in fine-tuning (``0.0``).
            - ``custom_keys`` (dict): substring of a parameter name -> ``dict(lr_mult=...,
              decay_mult=..., ...)``; the longest match wins, a missing entry keeps what the rules
              above give, other entries go into the group.

    Raises:
        ValueError: If a key is unknown, the rate is not in (0, 1], or the layers of the backbone
            cannot be told.
    """

    def __init__(self, optim_wrapper_cfg, paramwise_cfg=None):
        self.wrapper_cfg = dict(optim_wrapper_cfg)
        if not isinstance(self.wrapper_cfg.get('optimizer'), dict):
            raise ValueError('optim_wrapper needs `optimizer=dict(type=..., lr=...)`.')
        self.optimizer_cfg = dict(self.wrapper_cfg.pop('optimizer'))
        self.lr = self.optimizer_cfg.get('lr')
        if self.lr is None:
            raise ValueError('optim_wrapper.optimizer needs a literal `lr`.')
        self.weight_decay = self.optimizer_cfg.get('weight_decay', 0.0)
        self.options = check_paramwise(paramwise_cfg or {})

    def __call__(self, model):
        if is_model_wrapper(model):
            model = model.module
        groups = self.parameter_groups(model)
        optimizer = OPTIMIZERS.build(dict(self.optimizer_cfg, params=groups))
        wrapper_cfg = dict(self.wrapper_cfg)
        wrapper_cfg.setdefault('type', 'mmmim.OptimWrapper')
        return OPTIM_WRAPPERS.build(wrapper_cfg, default_args=dict(optimizer=optimizer))

    def parameter_groups(self, model):
        """Group the trainable parameters of ``model`` by their settings.

        Returns:
            list[dict]: Groups in descending ``lr_scale``, those of the full rate first, so that the
            first group shows the rate of head and top. Each holds ``params``, ``lr``,
            ``weight_decay``, ``lr_scale`` and ``name``.
        """
        layer_of, num_layers = layer_lookup(model, self.options['layer_decay_rate'])
        merged, used_keys = {}, set()
        for name, param in model.named_parameters():
            if not param.requires_grad:
                continue
            settings, key = self._settings(name, param, layer_of(name), num_layers)
            used_keys.add(key)
            group = merged.setdefault(freeze(settings), dict(settings, params=[], layers=set()))
            group['params'].append(param)
            group['layers'].add(layer_of(name))
        if not merged:
            raise ValueError('The model has no trainable parameter.')
        self._warn_unused(used_keys)
        self._print_table(merged.values(), num_layers)
        return finish_groups(merged.values())

    def _settings(self, name, param, layer, num_layers):
        """Settings of one parameter, and the custom key that matched (None if none did)."""
        options = self.options
        matches = [key for key in options['custom_keys'] if key in name]
        key = max(matches, key=lambda k: (len(k), k)) if matches else None
        rule = dict(options['custom_keys'][key]) if key else {}
        scale = options['layer_decay_rate'] ** (num_layers - layer) * rule.pop('lr_mult', 1.0)
        decay = rule.pop('decay_mult', self._decay_mult(name, param))
        settings = dict(lr=self.lr * scale, weight_decay=self.weight_decay * decay, lr_scale=scale)
        return dict(settings, **rule), key

    def _decay_mult(self, name, param):
        if _TABLE.search(name):
            return self.options['pos_embed_decay_mult']
        if _TOKEN.search(name):
            return self.options['token_decay_mult']
        if param.ndim <= 1 or name.endswith('.bias'):
            return self.options['flat_decay_mult']
        return 1.0

    def _warn_unused(self, used_keys):
        for key in self.options['custom_keys']:
            if key not in used_keys:
                print_log(
                    f'paramwise_cfg.custom_keys[{key!r}] decides about no trainable parameter.',
                    logger='current',
                    level=30,
                )

    def _print_table(self, groups, num_layers):
        """One line per depth: learning rate and its factor."""
        rate = self.options['layer_decay_rate']
        if rate == 1.0:
            return
        rows = sorted({(min(g['layers']), g['lr'], g['lr_scale']) for g in groups})
        lines = [f'layer-wise lr decay {rate:g} over {num_layers} layers:']
        for layer, lr, scale in rows:
            place = (
                'rest'
                if layer == num_layers
                else 'embedding'
                if layer == 0
                else f'block {layer - 1}'
            )
            lines.append(f'  {place:<10} lr {lr:.3e}  x {scale:.4f}')
        print_log('\n'.join(lines), logger='current')


def check_paramwise(options):
    """Fill the defaults into ``paramwise_cfg`` and refuse what is not understood."""
    for key in options:
        if key not in PARAMWISE_DEFAULTS:
            near = difflib.get_close_matches(key, PARAMWISE_DEFAULTS, 1, 0.5)
            hint = f'; did you mean {near[0]!r}?' if near else ''
            raise ValueError(
                f'Unknown key {key!r} in optim_wrapper.paramwise_cfg{hint} '
                f'Allowed: {", ".join(PARAMWISE_DEFAULTS)}.'
            )
    options = dict(PARAMWISE_DEFAULTS, **options)
    if not 0 < options['layer_decay_rate'] <= 1:
        raise ValueError(
            f'paramwise_cfg.layer_decay_rate is {options["layer_decay_rate"]}: '
            'it must lie in (0, 1], 1 meaning no decay.'
        )
    return options


def freeze(settings):
    """A dictionary key for settings whose values may be lists."""
    return tuple(sorted((key, repr(value)) for key, value in settings.items()))


def finish_groups(groups):
    """Sort the groups, full rate and decayed ones first, and name them."""
    groups = sorted(
        groups, key=lambda g: (g['lr_scale'] != 1.0, -g['lr_scale'], -g['weight_decay'])
    )
    for group in groups:
        layers = sorted(group.pop('layers'))
        depth = f'{layers[0]}' if len(layers) == 1 else f'{layers[0]}-{layers[-1]}'
        group['name'] = f'layer {depth}, decay {group["weight_decay"]:g}'
    return groups
