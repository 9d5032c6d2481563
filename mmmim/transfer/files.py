"""Reading checkpoint files without running what is pickled inside them."""

import argparse
import json
import os
import pathlib
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer

from .safe_globals import alias, allowed

_TEXT = {*b'\t\n\r', *range(32, 127)}  # bytes of plain text
_HISTORY_METHODS = ('min', 'max', 'mean', 'current', 'statistics', 'update')


def _history_attribute(owner, name):
    """Stands in for ``getattr``, which mmengine's logs pickle to name the methods of HistoryBuffer.

    The real one would let a crafted file walk from any allowed object to any other.
    """
    if owner is HistoryBuffer and name in _HISTORY_METHODS:
        return getattr(HistoryBuffer, name)
    raise UnpicklingError(f'refused to look up {name!r} of {owner!r}')


def _bytes(text, encoding):
    """Stands in for ``_codecs.encode``, by which numpy's bytes are pickled: torch 2.4 lacks it."""
    if encoding != 'latin1':
        raise UnpicklingError(f'refused to encode to {encoding!r}')
    return text.encode(encoding)


def _containers() -> list:
    """Plain data holders found beside the tensors: mmengine's logs, numpy values, the options of
    research code."""
    multiarray = np._core.multiarray if hasattr(np, '_core') else np.core.multiarray
    dtypes = {type(np.dtype(code)) for code in '?bBhHiIlLqQefd'} | {
        type(np.dtype('U1')),
        type(np.dtype('S1')),
    }
    names = {
        'numpy._core.multiarray',
        'numpy.core.multiarray',
    }  # numpy 2 and 1 write different names
    functions = [
        alias(function, f'{name}.{function.__name__}')
        for name in sorted(names)
        for function in (multiarray._reconstruct, multiarray.scalar)
    ]
    paths = [
        alias(pathlib.PurePosixPath, 'pathlib.PosixPath'),
        alias(pathlib.PureWindowsPath, 'pathlib.WindowsPath'),
        alias(pathlib.PurePosixPath, 'pathlib._local.PosixPath'),
    ]
    return [
        HistoryBuffer,
        alias(_history_attribute, 'builtins.getattr'),
        alias(_bytes, '_codecs.encode'),
        np.ndarray,
        np.dtype,
        *sorted(dtypes, key=str),
        *functions,
        *paths,
        argparse.Namespace,
        slice,
    ]


def _read_safetensors(path: str) -> Mapping[str, Any]:
    try:
        from safetensors import safe_open
    except ImportError:
        raise RuntimeError(
            f'reading {path} needs the package safetensors: run `pip install safetensors`.'
        ) from None
    try:
        with safe_open(path, framework='pt') as file:
            state = {name: file.get_tensor(name) for name in file.keys()}
            header = file.metadata() or {}
    except Exception as error:  # a damaged file
        raise ValueError(f'{path} is no readable checkpoint: {error}.') from error
    if 'mmmim' not in header:
        return state
    return dict(state_dict=state, meta=json.loads(header['mmmim']))  # our own exports


def _local(path: str) -> str:
    """The file itself, fetched into torch's cache if ``path`` is a URL."""
    if '://' not in path:
        return path
    folder = os.path.join(torch.hub.get_dir(), 'checkpoints')
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, path.rstrip('/').rsplit('/', 1)[-1])
    if not os.path.exists(target):
        try:
            torch.hub.download_url_to_file(path, target, progress=False)
        except OSError as error:  # URLError, HTTPError and time-outs among them
            raise ValueError(f'{path} cannot be fetched: {error}.') from error
    return target


def read_checkpoint(path: str | os.PathLike, allow_pickle: bool = False) -> Any:
    """Content of a checkpoint file, on the CPU.

    Files of this toolkit, of mmengine and of the usual research code hold tensors, numbers,
    strings, numpy arrays, mmengine's log buffers and an ``argparse.Namespace``. These load;
    anything that would run other code does not.

    Args:
        path: ``.pth`` / ``.pt`` / ``.bin`` (torch) or ``.safetensors``, or a URL of one.
        allow_pickle: Unpickle whatever the file holds. Only for files you trust: unpickling runs
            their code.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no checkpoint, does not fit the checksum that files of this
            toolkit carry, or holds objects that need ``allow_pickle``.
    """
    file = _local(os.fspath(path))
    if not os.path.isfile(file):
        hub = ''
        if re.fullmatch(r'[\w.-]+/[\w-]+', file):
            hub = f' If it is a name on the Hugging Face hub: `hf download {path} --local-dir DIR`.'
        raise FileNotFoundError(
            f'checkpoint {path} does not exist (working directory {os.getcwd()}).{hub}'
        )
    kind = _another_kind(file)
    if kind:
        raise ValueError(f'{path} is no readable checkpoint: {kind}.')
    _check_sum(file)
    if file.endswith('.safetensors'):
        return _read_safetensors(file)
    try:
        with ExitStack() as stack:
            if not allow_pickle:
                stack.enter_context(allowed(_containers()))
            return torch.load(file, map_location='cpu', weights_only=not allow_pickle)
    except UnpicklingError as error:
        raise ValueError(_refusal(path, error)) from None
    except Exception as error:  # a damaged file can fail anywhere inside torch and the unpickler
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f'{path} is no readable checkpoint: {reason}') from error


def _check_sum(file: str) -> None:
    from mmmim.engine.checkpoints.files import require_intact
    from mmmim.engine.errors import CheckpointError

    try:
        require_intact(file)
    except CheckpointError as error:
        raise ValueError(str(error)) from None


def _another_kind(file: str) -> str | None:
    """What a file is that is given for a checkpoint by mistake, from its first bytes."""
    with open(file, 'rb') as opened:
        head = opened.read(512)
    if head.startswith(b'version https://git-lfs'):
        return 'it is a pointer of Git LFS; `git lfs pull` fetches the file itself'
    if head.startswith((b'\x89PNG', b'\xff\xd8\xff')):
        return 'it is an image'
    if not head or b'\0' in head:  # as in every file of torch.save and safetensors
        return None
    if head.lstrip()[:1] == b'<':
        return 'it is a web page, saved in place of the file'
    if head.lstrip()[:1] in (b'{', b'['):
        return 'it is a JSON file'
    return 'it is a text file' if all(byte in _TEXT for byte in head) else None


def _refusal(path, error) -> str:
    reason = str(error).replace('Weights only load failed. ', '')
    unsafe = 'Unsupported global' in reason or 'GLOBAL' in reason or 'refused' in reason
    if not unsafe:  # torch's advice to unpickle it all the same would not help
        found = reason.partition('WeightsUnpickler error:')[2] or reason
        return (
            f'{path} is no readable checkpoint: it is no file of torch.save or safetensors, or '
            f'damaged ({found.strip().splitlines()[0]}).'
        )
    line = next(
        (line for line in reason.splitlines() if 'GLOBAL' in line or 'refused' in line),
        reason.splitlines()[0],
    )
    return (
        f'{path} holds pickled objects that could run code when read ({line.strip()}). '
        'If you trust its author, pass allow_pickle=True.'
    )
