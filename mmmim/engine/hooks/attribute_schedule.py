"""A number of the model that changes over a run."""

import math
from operator import attrgetter

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmmim.registry import HOOKS

_CURVES = dict(
    linear=lambda start, end, share: start + (end - start) * share,
    cosine=lambda start, end, share: end + (start - end) * (1 + math.cos(math.pi * share)) / 2,
    exponential=lambda start, end, share: start * (end / start) ** share,
)


@HOOKS.register_module()
class AttributeScheduleHook(Hook):
    """Set an attribute of the model from ``start`` to ``end`` over the run, at every iteration.

    A function of the iteration alone, so that a resumed run continues as if it had not stopped.

    Args:
        name (str): Attribute of the model, dotted for one of its parts, e.g. 'temperature'.
        start (float): First value.
        end (float): Last value.
        curve (str): 'linear', 'cosine' or 'exponential'.

    Raises:
        ValueError: For an unknown curve, or an attribute that the model does not have.
    """

    def __init__(self, name, start, end, curve='linear'):
        if curve not in _CURVES:
            raise ValueError(
                f'AttributeScheduleHook: curve={curve!r} must be one of {sorted(_CURVES)}.'
            )
        self.name, self.start, self.end, self.curve = name, start, end, curve

    def value(self, share: float) -> float:
        """Value after a share in [0, 1] of the run."""
        return _CURVES[self.curve](self.start, self.end, share)

    def before_train(self, runner):
        owner, name = self._owner(runner)
        if not hasattr(owner, name):
            raise ValueError(
                f'AttributeScheduleHook: {type(owner).__name__} has no attribute {name!r} '
                f'(name={self.name!r}).'
            )

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        owner, name = self._owner(runner)
        value = self.value(runner.iter / max(1, runner.max_iters - 1))
        setattr(owner, name, value)

    def _owner(self, runner):
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        path, _, name = self.name.rpartition('.')
        return (attrgetter(path)(model) if path else model), name
