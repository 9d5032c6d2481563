"""Python objects as plain data, which ``torch.load(..., weights_only=True)`` accepts, and back."""

from collections import Counter, OrderedDict
from collections.abc import Mapping

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

_AS_THEY_ARE = (bool, int, float, complex, str, bytes, type(None), torch.dtype)
_HISTORY = 'history_buffer'


class Unknown:
    """Stands for an object that has no plain form."""


def to_plain(value, lost=None, path='', copy_tensor=torch.clone):
    """A copy of ``value`` that holds tensors, numbers, strings and containers of these only.

    NumPy arrays and scalars become tensors and numbers, mmengine's log buffers a dict (see
    :func:`restore_histories`); an object without a plain form is left out of its container.

    Args:
        value: Nested dicts, lists and tuples.
        lost (list, optional): Receives the paths of what was left out.
        path (str): Of ``value``, for ``lost``.
        copy_tensor (Callable): How tensors are copied.

    Returns:
        The copy, or ``Unknown`` if ``value`` itself has no plain form.
    """
    lost = [] if lost is None else lost
    if isinstance(value, torch.Tensor):
        return copy_tensor(value.detach())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in 'biuf':
        return torch.from_numpy(np.ascontiguousarray(value).copy())
    if isinstance(value, HistoryBuffer):
        values, counts = value.data
        rows = [np.asarray(row, dtype=np.float64) for row in (values, counts)]
        return {_HISTORY: [torch.from_numpy(row.copy()) for row in rows]}
    if isinstance(value, Mapping):
        return _mapping(value, lost, path, copy_tensor)
    if isinstance(value, (list, tuple)):
        items = [to_plain(v, lost, f'{path}.{i}', copy_tensor) for i, v in enumerate(value)]
        items = [item for item in items if item is not Unknown]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, (set, frozenset)):
        return to_plain(sorted(value, key=str), lost, path, copy_tensor)
    if isinstance(value, _AS_THEY_ARE):
        kind = next(kind for kind in _AS_THEY_ARE if isinstance(value, kind))
        return kind(value) if kind in (int, float, str) and type(value) is not kind else value
    lost.append(path or type(value).__name__)
    return Unknown


def _mapping(value, lost, path, copy_tensor):
    # State dicts are ordered and carry the versions of their modules; milestones are counters.
    kind = type(value) if type(value) in (OrderedDict, Counter) else dict
    copied = kind()
    for key, item in value.items():
        item = to_plain(item, lost, f'{path}.{key}' if path else str(key), copy_tensor)
        if item is not Unknown:
            copied[key if isinstance(key, (int, float, tuple)) else str(key)] = item
    if kind is OrderedDict and hasattr(value, '_metadata'):
        copied._metadata = to_plain(value._metadata)
    return copied


def restore_histories(scalars):
    """Turn the log buffers of a message hub back, in place.

    Args:
        scalars (dict): ``message_hub['log_scalars']`` of a checkpoint.
    """
    for name, value in scalars.items():
        if isinstance(value, Mapping) and _HISTORY in value:
            values, counts = (row.numpy() for row in value[_HISTORY])
            scalars[name] = HistoryBuffer(values, counts.astype(np.int64))
