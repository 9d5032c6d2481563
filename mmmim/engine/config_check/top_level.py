"""Top-level keys that nothing reads."""

import ast
import inspect
import re

from mmengine.config import Config

from .names import suggestion

# Read by mmengine outside Runner's signature, or by the hosts' and our tools.
_EXTRA = {
    'activation_checkpointing',
    'compile',
    'custom_imports',
    'efficient_conv_bn_eval',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'runner_type',
    'sync_bn',
    'trust_checkpoint',
    'tta_model',
    'tta_pipeline',
}


def runner_keys():
    """Keys that a run reads: Runner's keywords and a few more."""
    from mmengine.runner import Runner

    return (set(inspect.signature(Runner.__init__).parameters) - {'self', 'cfg'}) | _EXTRA


def unknown_top_level(cfg, options=()):
    """Sentences about keys that neither a run nor another line of the config reads.

    A key may be a helper variable such as ``crop_size``; it is one if some file of the config uses
    its name.

    Args:
        cfg (Config): The merged config.
        options (Iterable[str]): Dotted keys that :func:`unknown_options` judges.
    """
    known = runner_keys()
    judged = known | {option.split('.')[0] for option in options}
    suspects = [key for key in cfg.keys() if key not in judged and not key.startswith('_')]
    if not suspects or not cfg.filename:
        return []
    used = names_used(cfg.filename)
    return [
        f'unknown key {key!r}: nothing reads it{suggestion(key, known)}'
        for key in suspects
        if key not in used
    ]


def unknown_options(cfg, options):
    """Sentences about ``--cfg-options`` that change nothing.

    Args:
        cfg (Config): The merged config.
        options (dict): Dotted keys and values.
    """
    known = runner_keys()
    problems = []
    for option in options:
        key = option.split('.')[0]
        if key in known:
            continue
        if cfg.filename and key in names_used(cfg.filename):
            problems.append(
                f'--cfg-options {option}: {key!r} is a variable that the file has used already; '
                'set the keys that take its value instead.'
            )
        else:
            problems.append(f'--cfg-options {option}: unknown key{suggestion(key, known)}')
    return list(dict.fromkeys(problems))


def names_used(filename):
    """Names that some file of a config reads, ``_base_.name`` and ``{{_base_.name}}`` included."""
    used = set()
    for path in config_files(filename):
        with open(path, encoding='utf-8') as file:
            text = file.read()
        used |= set(re.findall(r'\{\{\s*_base_\.(\w+)', text))
        for node in ast.walk(ast.parse(re.sub(r'\{\{.*?\}\}', '0', text))):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                used.add(node.id)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
    return used


def config_files(filename):
    """A config file and all its bases, those that are Python."""
    found, waiting = [], [filename]
    while waiting:
        path = waiting.pop()
        if path in found or not path.endswith('.py'):
            continue
        found.append(path)
        for base in Config._get_base_files(path):
            waiting.append(Config._get_cfg_path(base, path)[0])
    return found
