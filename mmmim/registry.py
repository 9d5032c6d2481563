"""Registries of mmmim: children of mmengine's root registries.

mmengine imports this module by itself when it meets the scope ``mmmim`` in a type string, and
``locations`` then import the modules that register; hence ``mmmim.X`` resolves from mmpretrain,
mmdet and mmseg without ``custom_imports``. Keep the module itself free of heavy imports.
"""

from mmengine import registry as root

from .compat import hush_debug_messages

hush_debug_messages()

_MODELS = ['mmmim.models']
_DATA = ['mmmim.datasets']
_ENGINE = ['mmmim.engine']


def _child(parent, locations):
    return root.Registry(parent.name, parent=parent, scope='mmmim', locations=locations)


MODELS = _child(root.MODELS, _MODELS)
TASK_UTILS = _child(root.TASK_UTILS, _MODELS)
DATASETS = _child(root.DATASETS, _DATA)
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, _DATA)
TRANSFORMS = _child(root.TRANSFORMS, _DATA)
FUNCTIONS = _child(root.FUNCTIONS, _DATA)
HOOKS = _child(root.HOOKS, _ENGINE)
LOOPS = _child(root.LOOPS, _ENGINE)
LOG_PROCESSORS = _child(root.LOG_PROCESSORS, _ENGINE)
OPTIMIZERS = _child(root.OPTIMIZERS, _ENGINE)
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, _ENGINE)
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS, _ENGINE)
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS, _ENGINE)
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS, _ENGINE)
STRATEGIES = _child(root.STRATEGIES, _ENGINE)
RUNNERS = _child(root.RUNNERS, _ENGINE)
METRICS = _child(root.METRICS, ['mmmim.evaluation'])
EVALUATORS = _child(root.EVALUATOR, ['mmmim.evaluation'])
VISUALIZERS = _child(root.VISUALIZERS, ['mmmim.visualization'])
VISBACKENDS = _child(root.VISBACKENDS, ['mmmim.visualization'])
