"""Which part of a config an error arose in: found by what was being built or run."""

from torch import nn


def blamed_key(error, cfg, runner=None):
    """Dotted key of the innermost part of a config that an error passed through.

    Args:
        error (Exception): With its traceback.
        cfg (Config): The run's.
        runner (Runner, optional): As far as it was built.

    Returns:
        str | None: ``'model.neck'``, or None if the error arose elsewhere.
    """
    frames = list(frames_of(error))
    for frame in reversed(frames):
        values = frame.f_locals
        if frame.f_code.co_name == 'build_from_cfg':
            found = path_of(values.get('cfg'), cfg)
        elif frame.f_code.co_name in _STAGES:
            found = _STAGES[frame.f_code.co_name]
        else:
            found = path_of_object(values.get('self'), runner)
        if found:
            return found
    return None


# What mmengine's runner does by itself, where no registry comes by.
_STAGES = {
    'build_dataloader': 'train_dataloader',
    '_build_param_scheduler': 'param_scheduler',
    'build_optim_wrapper': 'optim_wrapper',
    'build_evaluator': 'val_evaluator',
    'build_log_processor': 'log_processor',
    'build_train_loop': 'train_cfg',
    'build_val_loop': 'val_cfg',
    'build_visualizer': 'visualizer',
    'register_hooks': 'default_hooks',
    'set_randomness': 'randomness',
    'setup_env': 'env_cfg',
}


def in_a_step(error):
    """Whether an error arose while the model worked on a batch."""
    return any(frame.f_code.co_name == 'train_step' for frame in frames_of(error))


def frames_of(error):
    """Frames of an exception and of those it was raised from, outermost first."""
    chain = []
    while error is not None:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for link in chain:
        traceback = link.__traceback__
        while traceback is not None:
            yield traceback.tb_frame
            traceback = traceback.tb_next


def path_of(part, cfg):
    """Dotted key of a part of a config, found by its type and content."""
    if not isinstance(part, dict) or 'type' not in part:
        return None
    best = None
    for path, node in walk(cfg):
        if isinstance(node, dict) and node.get('type') == part['type']:
            if all(part.get(key) == value for key, value in node.items()):
                return path
            best = best or path
    return best


def walk(node, path=''):
    """Pairs of dotted key and value, for all dicts and lists of a config."""
    yield path, node
    items = node.items() if hasattr(node, 'items') else ()
    if isinstance(node, (list, tuple)):
        items = enumerate(node)
    for key, value in items:
        if isinstance(value, (dict, list, tuple)):
            yield from walk(value, f'{path}.{key}' if path else str(key))


def path_of_object(thing, runner):
    """Key of a module of the model, of a hook, or of the data, that was at work."""
    model = getattr(runner, 'model', None)
    if isinstance(thing, nn.Module) and isinstance(model, nn.Module):
        name = next((name for name, m in model.named_modules() if m is thing), None)
        if name == 'data_preprocessor':
            return 'model.data_preprocessor, or train_dataloader.dataset.pipeline, which feeds it'
        if name is not None:
            return '.'.join(['model', *name.split('.')[:2]]).rstrip('.')
    loop = getattr(runner, '_train_loop', None)
    dataset = getattr(getattr(loop, 'dataloader', None), 'dataset', None)
    if thing is not None and dataset is not None and thing in _data_parts(dataset):
        return 'train_dataloader.dataset'
    for hook in getattr(runner, '_hooks', ()):
        if hook is thing:
            return f'the hook {type(hook).__name__}'
    return None


def _data_parts(dataset):
    inner = getattr(dataset, 'dataset', None)
    pipeline = getattr(inner or dataset, 'pipeline', ())
    return [dataset, inner, *getattr(pipeline, 'transforms', pipeline)]
