"""Outputs of norms and activations that are computed again in the backward pass, not kept.

Both cost a few passes over memory, and what they are made from is kept anyway: a third of what a
block holds for its gradient (arXiv:2205.05198 does so for attention).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from mmmim.fast import is_fast

# Shorter sequences fit, and each pass counts there.
LONG = 768


def worth_it(x: Tensor) -> bool:
    """Whether to spare memory with tokens (N, L, D)."""
    return x.shape[1] >= LONG and x.requires_grad and is_fast('activations')


def through(make: Callable[[Tensor], Tensor], x: Tensor, use: Callable, lean: bool) -> Tensor:
    """``use(make(x))``, of which ``make(x)`` is not kept.

    Args:
        make: Cheap and without chance.
        x: What it is made from; something else has to keep it for the backward pass.
        use: What reads it.
        lean: False for the plain way.
    """
    made = make(x)
    if not lean or not made.requires_grad:
        return use(made)
    place, count, dtype, source = made.data_ptr(), made.numel(), made.dtype, x.detach()

    def pack(saved):
        if (saved.data_ptr(), saved.numel(), saved.dtype) != (place, count, dtype):
            return saved  # a weight, or a copy of other precision
        return _Again(make, source, saved.shape, saved.stride())

    with torch.autograd.graph.saved_tensors_hooks(pack, _unpack):
        return use(made)


class _Again:
    """How to get a tensor once more."""

    def __init__(self, make, source, shape, stride):
        self.make, self.source, self.shape, self.stride = make, source, shape, stride

    def tensor(self):
        with torch.no_grad():
            return self.make(self.source).as_strided(self.shape, self.stride)


def _unpack(kept):
    return kept.tensor() if isinstance(kept, _Again) else kept
