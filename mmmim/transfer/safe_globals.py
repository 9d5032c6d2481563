"""What may be unpickled beside tensors, in any supported torch.

torch 2.4 has neither a context for its list of allowed objects nor other names for them than their
own; both are made here from what all have.
"""

from collections.abc import Callable, Sequence
from contextlib import contextmanager

from torch import serialization


def alias(function: Callable, path: str) -> Callable:
    """``function``, to be found under another name in a pickle.

    Args:
        function: Called with what the pickle hands it.
        path: Dotted name of the module and then the object: ``'numpy.core.multiarray.scalar'``.
    """

    def stand_in(*args):
        return function(*args)

    stand_in.__module__, _, stand_in.__name__ = path.rpartition('.')
    stand_in.__qualname__ = stand_in.__name__
    return stand_in


@contextmanager
def allowed(objects: Sequence):
    """Add to the objects that ``torch.load(..., weights_only=True)`` accepts, and take back."""
    before = list(serialization.get_safe_globals())
    serialization.add_safe_globals(list(objects))
    try:
        yield
    finally:
        serialization.clear_safe_globals()
        serialization.add_safe_globals(before)
