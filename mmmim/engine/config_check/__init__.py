"""Checks of a config before anything is built: each problem is one sentence with a remedy."""

from ..errors import ConfigError
from .coco import missing_images
from .consistency import contradictions
from .files import missing_files
from .labels import wrong_labels
from .ops import missing_ops
from .sections import wrong_sections
from .top_level import unknown_options, unknown_top_level
from .walk import wrong_parts

__all__ = ['check_config', 'check_sections', 'find_problems']


def check_config(cfg, sections=('train', 'val', 'test'), options=None):
    """Refuse a config that cannot run.

    Args:
        cfg (Config): Merged with the command line.
        sections (Sequence[str]): Whose data must exist.
        options (dict, optional): What ``--cfg-options`` changed, as dotted keys.

    Raises:
        ConfigError: Naming the file, every wrong key or path, and the nearest valid name.
    """
    problems = find_problems(cfg, sections, options)
    if problems:
        where = cfg.filename or 'the config'
        text = problems[0] if len(problems) == 1 else '\n  '.join(['', *problems])
        raise ConfigError(f'{where}: {text}')


def check_sections(cfg):
    """Refuse a config whose sections are no dicts.

    Raises:
        ConfigError: Naming the file and the key.
    """
    problems = wrong_sections(cfg)
    if problems:
        raise ConfigError(f'{cfg.filename or "the config"}: {" ".join(problems)}')


def find_problems(cfg, sections=(), options=None):
    """All problems of a config, as sentences.

    Missing operators come alone: without them the types of a detector cannot be looked up.
    """
    problems = missing_ops(cfg)
    if problems:
        return problems
    options = options or {}
    problems = unknown_top_level(cfg, options) + unknown_options(cfg, options)
    wrong = wrong_parts(cfg)
    if cfg.get('default_scope') is None and any('unknown type' in text for text in wrong):
        scopes = "'mmpretrain', 'mmdet' or 'mmseg'"
        problems.append(
            f'default_scope is missing, which says where types are looked up: {scopes}.'
        )
    problems += wrong + contradictions(cfg)
    problems += missing_files(cfg, sections) + missing_images(cfg, sections)
    return problems or wrong_labels(cfg, sections)  # reads every label map
