"""State that moves once per step of the optimizer, wherever that step is made."""

import weakref

from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook


class StepFollower:
    """Mixin: ``after_step()`` runs after each step of the optimizer that trains ``leader``.

    The step itself is the signal, so gradient accumulation, mixed precision and wrappers around the
    model need no setting. A step that a gradient scaler skips counts with fused optimizers, which
    decide on the device, and does not with others.
    """

    _leader: tuple = ()

    def follow(self, leader: nn.Module) -> None:
        """Choose whose optimizer counts."""
        self._leader = (leader,)  # in a tuple: no child, hence neither trained nor saved twice
        _FOLLOWERS.add(self)

    def after_step(self) -> None:
        raise NotImplementedError

    def follows(self, optimizer) -> bool:
        """Whether ``optimizer`` trains the leader."""
        parts = (p for part in self._leader for p in part.parameters() if p.requires_grad)
        first = next(parts, None)
        return any(p is first for group in optimizer.param_groups for p in group['params'])

    def __setstate__(self, state):
        super().__setstate__(state)
        if self._leader:
            _FOLLOWERS.add(self)


_FOLLOWERS: 'weakref.WeakSet[StepFollower]' = weakref.WeakSet()


def _after_optimizer_step(optimizer, args, kwargs):
    for follower in list(_FOLLOWERS):
        if follower.follows(optimizer):
            follower.after_step()


register_optimizer_step_post_hook(_after_optimizer_step)
