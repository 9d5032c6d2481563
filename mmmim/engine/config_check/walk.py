"""Walk a config: every type must exist, every keyword be taken by its class."""

import inspect

from torch.utils.data import DataLoader

from ..optimizers.layer_decay import PARAMWISE_DEFAULTS
from .names import is_typing_error, suggestion
from .registries import find_type, unknown_type
from .signatures import accepted_keywords

# Which registry a key of any dict calls for; other keys inherit that of the dict around them.
_KIND_OF_KEY = {
    'anchor_generator': 'TASK_UTILS',
    'assigner': 'TASK_UTILS',
    'batch_sampler': 'DATA_SAMPLERS',
    'bbox_coder': 'TASK_UTILS',
    'collate_fn': 'FUNCTIONS',
    'dataset': 'DATASETS',
    'datasets': 'DATASETS',
    'init_cfg': 'WEIGHT_INITIALIZERS',
    'iou_calculator': 'TASK_UTILS',
    'optimizer': 'OPTIMIZERS',
    'pipeline': 'TRANSFORMS',
    'policies': 'TRANSFORMS',
    'prior_generator': 'TASK_UTILS',
    'transforms': 'TRANSFORMS',
    'vis_backends': 'VISBACKENDS',
    'worker_init_fn': 'FUNCTIONS',
}
_KIND_OF_SECTION = {
    'custom_hooks': 'HOOKS',
    'default_hooks': 'HOOKS',
    'log_processor': 'LOG_PROCESSORS',
    'model': 'MODELS',
    'optim_wrapper': 'OPTIM_WRAPPERS',
    'param_scheduler': 'PARAM_SCHEDULERS',
    'test_cfg': 'LOOPS',
    'test_dataloader': 'DATA_SAMPLERS',
    'test_evaluator': 'METRICS',
    'train_cfg': 'LOOPS',
    'train_dataloader': 'DATA_SAMPLERS',
    'tta_model': 'MODELS',
    'val_cfg': 'LOOPS',
    'val_dataloader': 'DATA_SAMPLERS',
    'val_evaluator': 'METRICS',
    'visualizer': 'VISUALIZERS',
}
_DEFAULT_TYPE = {
    'log_processor': 'LogProcessor',
    'optim_wrapper': 'OptimWrapper',
    'test_cfg': 'TestLoop',
    'val_cfg': 'ValLoop',
    'visualizer': 'Visualizer',
}
# What builders take out of a dict before its class sees it.
_TAKEN_BY_BUILDER = {
    'HOOKS': {'priority'},
    'MODELS': {'requires_grad', 'init_cfg'},
    'OPTIM_WRAPPERS': {'constructor', 'paramwise_cfg', 'optimizer'},
    'TRANSFORMS': {'magnitude_key', 'magnitude_range'},
    'PARAM_SCHEDULERS': {'convert_to_iter_based', 'epoch_length', 'by_epoch', 'begin', 'end'},
    'WEIGHT_INITIALIZERS': {'override', 'layer', 'name', '_params'},
}
_LOADER_KEYS = set(inspect.signature(DataLoader.__init__).parameters) - {'self'}
_LOADER_KEYS |= {'disable_subprocess_warning', 'num_batch_per_epoch'}
# Their `type` names no registered class, or their builder rewrites them: operators, modes of
# clipping, upsampling and deformable convolution, free data.
_OPAQUE = {
    'backend_args',
    'clip_grad',
    'dcn',
    'dqs_cfg',
    'metainfo',
    'nms',
    'nms_cfg',
    'roi_layer',
    'tokenizer',
    'upsample_cfg',
}
_FOREIGN_CHILDREN = {'Albu', 'Albumentations'}  # they hold another library's transforms
_RESERVED = {'type', '_scope_'}


def wrong_parts(cfg):
    """Sentences about unknown types and keywords anywhere in a config."""
    walker = Walker(cfg.get('default_scope') or 'mmengine')
    for section, kind in _KIND_OF_SECTION.items():
        node = cfg.get(section)
        if node is None:
            continue
        if section.endswith('_dataloader'):
            walker.loader(node, section)
        elif section == 'train_cfg' and 'type' not in node:
            walker.loop(node, section)
        elif section.endswith('_evaluator') and isinstance(node, dict) and 'metrics' in node:
            walker.visit(node['metrics'], f'{section}.metrics', kind)
        else:
            walker.visit(node, section, kind, _DEFAULT_TYPE.get(section))
    walker.paramwise(cfg.get('optim_wrapper') or {})
    return walker.problems


class Walker:
    """Collects problems while it goes down."""

    def __init__(self, scope):
        self.scope = scope
        self.problems = []

    def visit(self, node, path, kind, default_type=None):
        """Check a node and what it holds.

        Args:
            node: Any value of the config.
            path (str): Dotted keys from the top.
            kind (str): Registry a ``type`` here is looked up in first.
            default_type (str, optional): What the builder assumes where ``type`` is missing.
        """
        if isinstance(node, (list, tuple)):
            for index, item in enumerate(node):
                self.visit(item, f'{path}[{index}]', kind)
        elif isinstance(node, dict):
            outer, self.scope = self.scope, node.get('_scope_') or self.scope
            name = node.get('type', default_type)
            if name is not None:
                self.check(node, name, path, kind)
            foreign = str(name).split('.')[-1] in _FOREIGN_CHILDREN
            for key, value in node.items():
                if key not in _OPAQUE and not foreign:
                    self.visit(value, f'{path}.{key}', self.kind_below(kind, key))
            self.scope = outer

    def kind_below(self, kind, key):
        """Registry of a child; ``sampler`` means one thing in a loader, another in a detector."""
        if key == 'sampler':
            return 'TASK_UTILS' if kind in ('MODELS', 'TASK_UTILS') else 'DATA_SAMPLERS'
        return _KIND_OF_KEY.get(key, kind)

    def check(self, node, name, path, kind):
        """Check the type and the keywords of one dict."""
        target = name
        if isinstance(name, str):
            target = find_type(name, kind, self.scope)
            if target is None:
                end = unknown_type(name, kind, self.scope)
                self.problems.append(f'{path}.type: unknown type {name!r}{end}')
        if not callable(target):
            return
        names, is_open = accepted_keywords(target)
        allowed = names | _TAKEN_BY_BUILDER.get(kind, set()) | _RESERVED
        for key in node:
            if key not in allowed and not (is_open and not is_typing_error(key, names)):
                self.unknown_key(path, key, names, target)

    def unknown_key(self, path, key, names, target=None):
        taker = f' of {target.__name__}' if target is not None else ''
        end = suggestion(key, names)
        self.problems.append(f'{path}.{key}: unknown keyword {key!r}{taker}{end}')

    def loader(self, node, path):
        """Check a data loader, which has no ``type``."""
        for key in node:
            if key not in _LOADER_KEYS:
                self.unknown_key(path, key, _LOADER_KEYS)
        self.visit({k: v for k, v in node.items() if k != 'type'}, path, 'DATA_SAMPLERS')

    def loop(self, node, path):
        """Check a training loop given by ``by_epoch`` alone."""
        name = 'EpochBasedTrainLoop' if node.get('by_epoch', True) else 'IterBasedTrainLoop'
        self.check({k: v for k, v in node.items() if k != 'by_epoch'}, name, path, 'LOOPS')

    def paramwise(self, wrapper):
        """Check the options of our constructor, whose signature shows a dict only."""
        constructor = wrapper.get('constructor')
        if constructor is None:
            return
        if find_type(constructor, 'OPTIM_WRAPPER_CONSTRUCTORS', self.scope) is None:
            end = unknown_type(constructor, 'OPTIM_WRAPPER_CONSTRUCTORS', self.scope)
            self.problems.append(f'optim_wrapper.constructor: unknown type {constructor!r}{end}')
        if str(constructor).startswith('mmmim.'):
            for key in wrapper.get('paramwise_cfg') or {}:
                if key not in PARAMWISE_DEFAULTS:
                    self.unknown_key('optim_wrapper.paramwise_cfg', key, PARAMWISE_DEFAULTS)
