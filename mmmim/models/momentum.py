"""The momentum encoder: a moving average of a module that is being trained."""

import copy
import math

import torch
import torch.nn as nn
from mmcv.cnn.bricks import DropPath
from mmengine.logging import MessageHub

from .step_follower import StepFollower

SCHEDULES = ('constant', 'cosine')
BUFFERS = ('own', 'copy', 'average')


class MomentumEncoder(StepFollower, nn.Module):
    """``average = m * average + (1 - m) * source``, exactly once per optimizer step.

    BYOL (arXiv:2006.07733, section 3.1), MoCo v3 (arXiv:2104.02057, section 4.3: ``m`` rises to 1).
    The step of the optimizer itself triggers the update, so gradient accumulation, mixed precision
    and any wrapper around the model need no setting. mmpretrain's ``CosineEMA`` is called by hand
    in the forward pass, hence several times per step where gradients accumulate, overwrites the
    average's own buffers, and waits for the device at each call.

    It runs without gradient, in the mode (train or eval) of the model it belongs to. Its weights
    and the number of updates are in the checkpoint, so a resumed run goes on exactly.
    ``momentum=0`` makes no copy: the source itself runs, without gradient.

    Args:
        source (nn.Module): What is averaged; it is not registered here a second time. Make the
            average after it, so that mmengine's ``init_weights`` copies the initialised weights.
        momentum (float): ``m`` in [0, 1]: the share of the old average that is kept.
        schedule (str): 'constant', or 'cosine': half a cosine from ``momentum`` to 1 over the
            optimizer steps of the run. Outside of a Runner ``momentum`` stays as it is.
        when (str): 'after' the step (DINO, C-MAE) or 'before' the next forward pass (MoCo v3). The
            weights are averaged at the same point of the calculation; 'before' takes the momentum
            of the next iteration.
        buffers (str): 'own' are what the average itself collects (running statistics), 'copy' takes
            the source's, 'average' averages those of floating point and copies the rest.
        drop_path (bool): Whether the average keeps the stochastic depth of its source (DINO: no).

    Raises:
        ValueError: For a momentum outside [0, 1] or an unknown option.
    """

    def __init__(
        self,
        source,
        momentum=0.996,
        schedule='constant',
        when='after',
        buffers='own',
        drop_path=True,
    ):
        super().__init__()
        if not 0 <= momentum <= 1:
            raise ValueError(
                f'momentum is the share of the old average, in [0, 1]; got {momentum}.'
            )
        choices = dict(
            schedule=(schedule, SCHEDULES),
            when=(when, ('before', 'after')),
            buffers=(buffers, BUFFERS),
        )
        for name, (value, allowed) in choices.items():
            if value not in allowed:
                raise ValueError(f'{name} must be one of {allowed}, got {value!r}.')
        self.momentum, self.schedule = momentum, schedule
        self.when, self.buffer_policy = when, buffers
        self.follow(source)
        self.averages = momentum > 0 or schedule == 'cosine'
        self.count = 0
        if self.averages:
            self.module = copy.deepcopy(source).requires_grad_(False)
            self.register_buffer('updates', torch.zeros((), dtype=torch.int64))
            if not drop_path:
                for part in self.module.modules():
                    if isinstance(part, DropPath):
                        part.drop_prob = 0.0

    @property
    def source(self) -> nn.Module:
        return self._leader[0]

    def after_step(self):
        if self.averages:
            self.update()

    @torch.no_grad()
    def forward(self, *args, **kwargs):
        """What the average makes of the source's arguments, without gradient."""
        return (self.module if self.averages else self.source)(*args, **kwargs)

    @torch.no_grad()
    def init_weights(self):
        """Start from the source; mmengine calls this after the source's own."""
        if self.averages:
            torch._foreach_copy_(list(self.module.parameters()), list(self.source.parameters()))
            for mine, theirs in zip(self.module.buffers(), self.source.buffers(), strict=True):
                mine.copy_(theirs)

    def current_momentum(self) -> float:
        """The momentum of the next update."""
        if self.schedule == 'constant':
            return self.momentum
        hub = MessageHub.get_current_instance()
        total = hub.get_info('max_updates') or hub.get_info('max_iters')
        if not total:
            return self.momentum
        step = min(self.count + (self.when == 'before'), total)
        return 1 - (1 - self.momentum) * (math.cos(math.pi * step / total) + 1) / 2

    @torch.no_grad()
    def update(self):
        """Average once; the optimizer's step calls this."""
        m = self.current_momentum()
        # A name, not a position, pairs them: what a subclass adds to the copy cannot shift them.
        theirs = dict(self.source.named_parameters())
        pairs = [(mine, theirs[name]) for name, mine in self.module.named_parameters()]
        self._average(pairs, m)
        if self.buffer_policy != 'own':
            self._update_buffers(m)
        self.count += 1
        self.updates.fill_(self.count)

    @staticmethod
    def _average(pairs, m):
        if pairs:
            mine, theirs = (list(side) for side in zip(*pairs))
            torch._foreach_lerp_(mine, theirs, 1 - m)

    def _update_buffers(self, m):
        pairs = list(zip(self.module.buffers(), self.source.buffers(), strict=True))
        if self.buffer_policy == 'average':
            self._average([pair for pair in pairs if pair[0].is_floating_point()], m)
            pairs = [pair for pair in pairs if not pair[0].is_floating_point()]
        for mine, theirs in pairs:
            mine.copy_(theirs)

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs):
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        if f'{prefix}updates' in state_dict and self.averages:
            self.count = int(state_dict[f'{prefix}updates'])
