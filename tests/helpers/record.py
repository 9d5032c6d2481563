"""What a module was called with."""

import inspect
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn


class Call(NamedTuple):
    """One call of a module: arguments by name, and what came back."""

    module: nn.Module
    arguments: dict[str, Any]
    output: Any


@contextmanager
def calls(modules):
    """Collect every call of ``modules`` while the block runs: ``with calls([...]) as found``."""
    found = []

    def keep(module, args, kwargs, output):
        bound = inspect.signature(module.forward).bind(*args, **kwargs).arguments
        found.append(Call(module, dict(bound), output))

    handles = [module.register_forward_hook(keep, with_kwargs=True) for module in modules]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def tensors(output) -> list[torch.Tensor]:
    """The tensors of an output, however it is nested."""
    if isinstance(output, torch.Tensor):
        return [output]
    if isinstance(output, dict):
        output = list(output.values())
    if not isinstance(output, (list, tuple)):
        return []
    return [tensor for part in output for tensor in tensors(part)]


def equal(first, second) -> bool:
    """Whether two outputs hold the same bits."""
    pairs = list(zip(tensors(first), tensors(second), strict=True))
    return bool(pairs) and all(torch.equal(a, b) for a, b in pairs)
