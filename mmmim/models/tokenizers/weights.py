"""Weights of a tokenizer from a local file, checked name by name."""

import hashlib
import os

import torch.nn as nn
from mmengine.logging import print_log

_SHOWN = 3


def load_tokenizer(module: nn.Module, path, remedy: str, sha256=None, allow_pickle=False) -> None:
    """Fill ``module`` with the tensors of a file; the file's sha256 is printed.

    A wrong tokenizer would train without a trace, so every name and shape must fit.

    Args:
        module: The tokenizer. On the meta device nothing is read.
        path: A state dict, or a checkpoint that holds one.
        remedy: How to get the right file; ends the sentence of each error.
        sha256: Expected digest of the file, or its first digits; None compares nothing.
        allow_pickle: See :func:`mmmim.transfer.read_checkpoint`.

    Raises:
        ValueError: If the file is missing, unreadable, not the expected one, or does not fit.
    """
    if next(module.parameters()).is_meta:
        return
    name = type(module).__name__
    if not os.path.isfile(path):
        raise ValueError(f'the tokenizer file {path!r} of {name} does not exist: {remedy}.')
    digest = _sha256(path)
    if sha256 is not None and not digest.startswith(sha256.lower()):
        raise ValueError(
            f'the tokenizer file {path!r} has sha256 {digest}, but the config says {sha256}: '
            f'{remedy}, or correct sha256.'
        )
    print_log(f'{name}: {path} has sha256 {digest}', 'current')
    state = _read(path, allow_pickle, remedy)
    differences = _differences(state, module.state_dict())
    if differences:
        raise ValueError(f'{path!r} is no {name} of this size: {differences}; {remedy}.')
    module.load_state_dict(state)


def _sha256(path) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read(path, allow_pickle, remedy):
    from mmmim.transfer.files import read_checkpoint
    from mmmim.transfer.layouts import find_state

    try:
        content = read_checkpoint(path, allow_pickle=allow_pickle)
        if isinstance(content, nn.Module):
            content = content.state_dict()
        state = find_state(content, source=str(path))
    except ValueError as error:
        reason = str(error).split('. ')[0].rstrip('.')
        raise ValueError(f'{reason}; as a tokenizer: {remedy}.') from None
    inside = {n[9:]: value for n, value in state.items() if n.startswith('backbone.')}
    return inside or state  # a checkpoint of mmmim.TokenizerTraining holds it as its backbone


def _differences(state, own) -> str:
    shapes = [
        f'{name} is {tuple(value.shape)} instead of {tuple(own[name].shape)}'
        for name, value in state.items()
        if name in own and value.shape != own[name].shape
    ]
    found = {
        'other shape': shapes,
        'missing': [name for name in own if name not in state],
        'unexpected': [name for name in state if name not in own],
    }
    return '; '.join(
        f'{what} ({len(names)}): {", ".join(names[:_SHOWN])}'
        for what, names in found.items()
        if names
    )
