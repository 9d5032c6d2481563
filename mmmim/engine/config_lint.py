"""File names of configs against what the configs resolve to.

Self-supervisors and classifiers::

    {method}[-{variant}]_{arch}-{size}-p{patch}_{gpus}xb{batch}[-amp]-{schedule}-{epochs}e_
    {data}[-{px}px]

detectors and segmentors, as mmdet and mmseg name theirs (``{N}k``, ``{N}it``: iterations)::

    {head}_{arch}-{size}-p{patch}[_{neck}]_{gpus}xb{batch}[-amp][-{schedule}]-{epochs}e_
    {data}[-{H}x{W}]
"""

import ast
import os
import re

from mmengine.config import Config

from .config_check import find_problems

_MODEL = re.compile(r'(?P<arch>[a-z0-9]+)-(?P<size>[a-z0-9]+)-p(?P<patch>\d+)$')
_SETTINGS = re.compile(r'(?P<gpus>\d+)xb(?P<batch>\d+)(?P<words>(-[a-z0-9.]+)*)$')
_LENGTH = re.compile(r'(?P<number>\d+)(?P<unit>e|k|it)$')
_SIZE = re.compile(r'-(?:(?P<px>\d+)px|(?P<height>\d+)x(?P<width>\d+))$')
_SCHEDULES = dict(coslr='CosineAnnealingLR', polylr='PolyLR', steplr='MultiStepLR')
_IMAGES = dict(coco=118287)
_METHOD_FREE = {'classification', 'demo', 'detection', 'mixtures', 'segmentation'}


def lint(path):
    """Problems of one config file, as sentences; none if it is in order."""
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is a program: it may raise anything
        return [f'does not load: {type(error).__name__}: {error}']
    problems = lint_docstring(path) + find_problems(cfg)
    return problems + lint_name(os.path.splitext(os.path.basename(path))[0], path, cfg)


def lint_docstring(path):
    with open(path, encoding='utf-8') as file:
        text = ast.get_docstring(ast.parse(file.read()))
    if not text:
        return ['has no docstring: paper, command, known numbers.']
    if 'tools/' not in text:
        return ['the docstring names no command (tools/...).']
    return []


def lint_name(stem, path, cfg):
    """Problems of a file name, given what it resolves to."""
    fields = stem.split('_')
    dense = cfg.get('default_scope') in ('mmdet', 'mmseg')
    allowed = (4, 5) if dense else (4,)
    if len(fields) not in allowed:
        return [f'the name has {len(fields)} fields between underscores, not {allowed[-1]}.']
    method, model, settings, data = fields[0], fields[1], fields[-2], fields[-1]
    match = _SETTINGS.match(settings)
    if not match:
        return [f'{settings!r} in the name is no {{gpus}}xb{{batch}}[-amp]-...']
    words = match['words'].split('-')[1:]
    problems = lint_method(method, path) + lint_model(model, cfg)
    problems += lint_batch(int(match['gpus']), int(match['batch']), cfg)
    problems += lint_amp('amp' in words, cfg) + lint_schedule(words, dense, cfg)
    return problems + lint_length(words, data, cfg) + lint_data(data, dense, cfg)


def lint_method(method, path):
    folder = os.path.basename(os.path.dirname(os.path.abspath(path)))
    if folder in _METHOD_FREE or f'{method}-'.startswith(folder.replace('_', '-') + '-'):
        return []
    return [f'the method {method!r} in the name is not that of the folder {folder!r}.']


def lint_model(model, cfg):
    match = _MODEL.match(model)
    if not match:
        return [f'{model!r} in the name is no {{arch}}-{{size}}-p{{patch}}.']
    backbone = cfg.model.get('backbone') or {}
    problems = []
    patch = backbone.get('patch_size', int(match['patch']))
    if patch != int(match['patch']):
        problems.append(f'the name says p{match["patch"]}, the backbone has patch_size {patch}.')
    arch = backbone.get('arch')
    if isinstance(arch, str) and arch not in (match['size'], match['size'][0]):
        problems.append(f'the name says {match["size"]}, the backbone has arch {arch!r}.')
    return problems


def lint_batch(gpus, batch, cfg):
    problems = []
    found = cfg.train_dataloader.get('batch_size')
    if found != batch:
        problems.append(f'the name says a batch of {batch}, the loader has {found}.')
    base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    total = gpus * batch * cfg.optim_wrapper.get('accumulative_counts', 1)
    if base != total:
        problems.append(f'the name says {total} images, auto_scale_lr.base_batch_size is {base}.')
    return problems


def lint_amp(named, cfg):
    kind = cfg.optim_wrapper.get('type', '')
    used = kind.endswith('AmpOptimWrapper')
    if used and not kind.startswith('mmmim.'):
        return [f'optim_wrapper.type is {kind!r}, which refuses CPUs: use mmmim.AmpOptimWrapper.']
    if used != named:
        return [f'the name says {"" if named else "no "}amp, optim_wrapper.type is {kind!r}.']
    return []


def lint_schedule(words, dense, cfg):
    named = [word for word in words if word in _SCHEDULES]
    if not named and not dense:
        return [f'the name has no schedule ({", ".join(_SCHEDULES)}).']
    kinds = [part.get('type') for part in cfg.get('param_scheduler') or []]
    return [
        f'the name says {word}, param_scheduler has no {_SCHEDULES[word]}.'
        for word in named
        if _SCHEDULES[word] not in kinds
    ]


def lint_length(words, data, cfg):
    """Epochs or thousands of iterations; epochs of an iteration-based run within 2 %."""
    match = _LENGTH.match(words[-1]) if words else None
    if not match:
        return ['the name has no length ({N}e, {N}k or {N}it) before the data.']
    number, loop = int(match['number']), cfg.train_cfg
    if match['unit'] != 'e':
        same = loop.get('max_iters') == number * (1000 if match['unit'] == 'k' else 1)
    elif 'max_epochs' in loop:
        same = loop.max_epochs == number
    else:
        images = _IMAGES.get(data.split('-')[0])
        epochs = loop.get('max_iters', 0) * cfg.auto_scale_lr.base_batch_size / (images or 1)
        same = images is None or abs(epochs / number - 1) < 0.02
    return [] if same else [f'the name says {match[0]}, train_cfg is {dict(loop)}.']


def lint_data(data, dense, cfg):
    match = _SIZE.search(data)
    backbone = cfg.model.get('backbone') or {}
    size = backbone.get('img_size')
    if dense:
        crop = (cfg.model.get('data_preprocessor') or {}).get('size')
        if match and match['px'] is None and crop:
            named = [int(match['height']), int(match['width'])]
            if list(crop) != named:
                return [f'the name says {match[0][1:]}, data_preprocessor.size is {list(crop)}.']
        return []
    named = int(match['px']) if match and match['px'] else 224
    if size not in (named, [named, named], (named, named), None):
        return [f'the name says {named} px, the backbone has img_size {size}.']
    return []
