"""Find the class behind a type string as the builders would, and the names that were possible."""

import contextlib
import importlib

from mmengine import registry as root

from .names import suggestion

_KINDS = (
    'MODELS', 'DATASETS', 'TRANSFORMS', 'DATA_SAMPLERS', 'HOOKS', 'METRICS', 'EVALUATOR', 'LOOPS',
    'OPTIMIZERS', 'OPTIM_WRAPPERS', 'OPTIM_WRAPPER_CONSTRUCTORS', 'PARAM_SCHEDULERS', 'TASK_UTILS',
    'FUNCTIONS', 'VISUALIZERS', 'VISBACKENDS', 'LOG_PROCESSORS', 'WEIGHT_INITIALIZERS',
    'MODEL_WRAPPERS', 'RUNNERS', 'INFERENCERS',
)  # fmt: skip


def find_type(name, kind, scope):
    """The object registered as ``name``.

    Args:
        name (str): With or without scope.
        kind (str): Name of the registry that the place in the config calls for; the others are
            searched after it, since some builders look elsewhere.
        scope (str): Default scope of the config.

    Returns:
        object | None
    """
    for registry in [kind, *(other for other in _KINDS if other != kind)]:
        found = _get(getattr(root, registry), name, scope)
        if found is not None:
            return found
    return _batch_augment(name)


def unknown_type(name, kind, scope):
    """The end of a sentence about a type that nobody registered."""
    own = getattr(root, kind)
    candidates = set(own.module_dict)
    for child in own.children.values():
        prefix = '' if child.scope == scope else f'{child.scope}.'
        candidates |= {f'{prefix}{key}' for key in child.module_dict}
    return suggestion(name, candidates)


def _get(registry, name, scope):
    if '.' in name:
        scope = name.split('.')[0]
    with contextlib.suppress(ImportError):
        importlib.import_module(f'{scope}.registry')
    inner = registry.children.get(scope, registry)
    try:
        return inner.get(name)
    except (AttributeError, ImportError, ValueError):
        return None


def _batch_augment(name):
    """mmpretrain keeps mixup and its like in a registry without a root in mmengine."""
    from mmpretrain.registry import BATCH_AUGMENTS

    return BATCH_AUGMENTS.get(name)
