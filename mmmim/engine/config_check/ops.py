"""The packages behind a config: detectors need the compiled operators of mmcv."""

import contextlib
import importlib
import importlib.util
import io

from mmmim.compat import BUILD_OPS, detection_remedy, family


def missing_ops(cfg):
    """A sentence if ``cfg`` is a detector's and mmdet or ``mmcv.ops`` does not import."""
    if not needs_mmdet(cfg):
        return broken_scope(cfg)
    if importlib.util.find_spec('mmdet') is None:
        return [f'a detector needs mmdet, which is not installed: {detection_remedy()}.']
    try:
        importlib.import_module('mmcv.ops')
    except ImportError as error:
        return [
            f"a detector needs mmcv's compiled operators, but mmcv.ops does not import ({error}): "
            f'{detection_remedy()}.'
        ]
    return broken_scope(cfg)


def broken_scope(cfg):
    """A sentence if the package that the config's types come from does not import.

    mmengine only warns, and every type of the config would seem unknown.
    """
    scope = cfg.get('default_scope') or 'mmengine'
    parts = () if scope == 'mmengine' else ('registry', 'models', 'datasets')
    for module in [scope, *(f'{scope}.{part}' for part in parts)]:
        try:
            # The hosts print what else they would like to have installed.
            with contextlib.redirect_stdout(io.StringIO()):
                importlib.import_module(module)
        except Exception as error:  # version gates use assert, broken wheels whatever they like
            reason = f'{type(error).__name__}: {error}'.splitlines()[0]
            if "'mmcv._ext'" in reason:
                return [
                    f"{scope} needs mmcv's compiled operators, which are not there: "
                    f'run `{BUILD_OPS[family()]}`.'
                ]
            return [f'default_scope {scope!r}: {module} does not import ({reason}).']
    return []


def needs_mmdet(cfg):
    """Whether the scope or the type of the model is mmdet's."""
    model = cfg.get('model') or {}
    name = model.get('type', '')
    return cfg.get('default_scope') == 'mmdet' or str(name).startswith('mmdet.')
