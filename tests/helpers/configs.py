"""Every config under configs/, read once."""

import json
import os
from functools import cache
from pathlib import Path

from mmengine.config import Config

ROOT = Path(__file__).parents[2]
CONFIGS = Path(os.environ.get('MMMIM_CONFIGS', ROOT / 'configs')).resolve()
KINDS = ('pretraining', 'classification', 'detection', 'segmentation')


def config_paths() -> list[Path]:
    """Configs that can be run, in a fixed order; adding a file adds its tests."""
    return sorted(path for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)


def name(path: Path) -> str:
    return path.relative_to(CONFIGS).with_suffix('').as_posix()


@cache
def load(path: Path) -> Config:
    """Shared: copy before writing to it."""
    return Config.fromfile(path)


@cache
def loads(path: Path) -> bool:
    """Whether a config can be read; one that cannot fails tests of its own, not those of all."""
    try:
        load(path)
    except Exception:  # a config is a program: it may raise anything
        return False
    return True


def kind(cfg: Config) -> str:
    """Which of ``KINDS`` a config is, by its scope and the type of its model."""
    scope = cfg.get('default_scope')
    dense = {'mmdet': 'detection', 'mmseg': 'segmentation'}
    if scope in dense:
        return dense[scope]
    if cfg.model.type.endswith('Classifier'):
        return 'classification'
    return 'pretraining'


def paths_of(wanted: str) -> list[Path]:
    return [path for path in config_paths() if loads(path) and kind(load(path)) == wanted]


def distinct_models() -> list[tuple[Path, ...]]:
    """Configs grouped by the model and the preprocessor that they resolve to."""
    groups: dict[str, list[Path]] = {}
    for path in filter(loads, config_paths()):
        cfg = load(path)
        key = [cfg.model, cfg.get('data_preprocessor'), cfg.get('default_scope')]
        groups.setdefault(json.dumps(key, sort_keys=True, default=repr), []).append(path)
    return [tuple(paths) for paths in groups.values()]


def group_id(paths: tuple[Path, ...]) -> str:
    return f'{name(paths[0])}+{len(paths) - 1}' if len(paths) > 1 else name(paths[0])
