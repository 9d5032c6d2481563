"""What makes two runs the same experiment, and how two of them differ."""

import hashlib
import json

from mmengine.dist import get_world_size

# What may change when a run goes on: places, logging, machines, evaluation.
_PARTS = ('model', 'data_preprocessor', 'train_dataloader', 'optim_wrapper', 'param_scheduler')
_PARTS += ('train_cfg', 'custom_hooks', 'randomness', 'activation_checkpointing')
_LOADER = ('num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor', 'batch_size')
_LOADER += ('disable_subprocess_warning', 'multiprocessing_context', 'timeout')
_TRAIN = ('val_interval', 'val_begin', 'dynamic_intervals')


def experiment_of(cfg):
    """The parts of a config that decide what is computed, as flat plain data.

    Batch size, processes and accumulation enter as their product; numbers of iterations count
    optimizer updates.

    Args:
        cfg (Config): As the runner has it.

    Returns:
        dict[str, str]: JSON of each value by dotted key.
    """
    parts = {key: cfg.get(key) for key in _PARTS if cfg.get(key) is not None}
    parts = json.loads(json.dumps(parts, default=_name))
    loader, wrapper = parts.get('train_dataloader', {}), parts.get('optim_wrapper', {})
    accumulation = wrapper.pop('accumulative_counts', 1)
    batch = loader.get('batch_size', (loader.get('batch_sampler') or {}).get('batch_size'))
    if isinstance(batch, int):
        parts['effective_batch'] = batch * accumulation * get_world_size()
    for key in _LOADER:
        loader.pop(key, None)
    if isinstance(loader.get('sampler'), dict):
        loader['sampler'].pop('multiple_of', None)
    loop = parts.get('train_cfg', {})
    for key in _TRAIN:
        loop.pop(key, None)
    if 'max_iters' in loop:
        loop['max_iters'] = round(loop['max_iters'] / accumulation)
    return dict(flatten(parts))


def _name(value):
    return getattr(value, '__qualname__', None) or type(value).__qualname__


def flatten(node, path=''):
    """Pairs of dotted key and JSON of the value."""
    if isinstance(node, dict) and node:
        for key in sorted(node):
            yield from flatten(node[key], f'{path}.{key}' if path else key)
    elif isinstance(node, list) and any(isinstance(item, (dict, list)) for item in node):
        for index, item in enumerate(node):
            yield from flatten(item, f'{path}.{index}')
    else:
        yield path, json.dumps(node)


def fingerprint(experiment):
    """Twelve hexadecimal digits that name an experiment."""
    text = json.dumps(experiment, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def differences(before, now):
    """Lines ``key: old -> new`` of what differs between two experiments."""
    absent = '(absent)'
    keys = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    return [f'{key}: {before.get(key, absent)} -> {now.get(key, absent)}' for key in keys]
