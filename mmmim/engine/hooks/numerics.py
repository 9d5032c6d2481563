"""Losses that stop being numbers: named, undone once, then the end of the run."""

import collections
import json
import math
import os

import torch
from mmengine.dist import all_reduce, get_rank
from mmengine.hooks import Hook

from mmmim.registry import HOOKS

from ..checkpoints import newest_intact
from ..checkpoints.run_state import random_states, raw_random_states
from ..disk import whole_file
from ..errors import NumericalError
from .samples import names_of, sample_references


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Stop a run whose loss is NaN or infinite ``patience`` times in a row.

    The length of the run of bad losses is counted on the device, and the losses of the last
    steps are kept there; the host reads them every ``interval`` steps only. What the batches held
    is kept beside, as references. On the ``patience``-th bad loss the file names, loss parts and
    random states are written to ``WORK_DIR/nonfinite_iter_N_rank_R.json`` and ``.pth``, and
    ``mmmim.Runner`` goes back to the last good checkpoint; if that happens again, the run ends.

    Args:
        patience (int): Bad losses in a row.
        interval (int, optional): Steps between looks at the counter; None looks at each step on
            the CPU, where that costs nothing, and every 20 steps on a GPU.

    Raises:
        NumericalError: Naming the first bad step, its loss parts and the files written.
        ValueError: If ``patience`` or ``interval`` is below 1.
    """

    priority = 'ABOVE_NORMAL'  # before anything is logged or saved

    def __init__(self, patience=3, interval=None):
        if patience < 1 or (interval is not None and interval < 1):
            raise ValueError(
                f'NonFiniteHook: patience={patience} and interval={interval} must be at least 1.'
            )
        self.patience, self.interval = patience, interval

    def before_train(self, runner):
        if self.interval is None:
            self.interval = 20 if torch.cuda.is_available() else 1
        self.streak = self.longest = None
        self.steps = collections.deque(maxlen=self.interval + self.patience)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.random = raw_random_states()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        parts = {k: v.detach() for k, v in (outputs or {}).items() if isinstance(v, torch.Tensor)}
        losses = [value for name, value in parts.items() if 'loss' in name]
        if not losses:
            return
        self._count(losses)
        self.steps.append(
            dict(
                iter=runner.iter + 1,
                parts=parts,
                samples=sample_references(data_batch),
                random=self.random,
            )
        )
        if (runner.iter + 1) % self.interval == 0 or runner.iter + 1 == runner.max_iters:
            self._look(runner)

    def _count(self, losses):
        """Length of the present run of bad losses, and the longest since the last look."""
        bad = ~torch.stack([value.float().isfinite().all() for value in losses]).all()
        zero = torch.zeros((), dtype=torch.int64, device=bad.device)
        self.streak = torch.where(bad, (zero if self.streak is None else self.streak) + 1, zero)
        longest = zero if self.longest is None else self.longest
        self.longest = torch.maximum(longest, self.streak)

    def _look(self, runner):
        longest = self.longest.clone()
        all_reduce(longest, op='max')  # all processes end together
        self.longest = None
        if int(longest) < self.patience:
            return
        bad = [step for step in self.steps if not finite(step['parts'])]
        paths = self._dump(runner, bad)
        raise NumericalError(describe(bad, int(longest), paths), newest_intact_of(runner))

    def _dump(self, runner, bad):
        """Write what is known of the bad steps of this process."""
        if not bad:
            return []
        stem = f'nonfinite_iter_{bad[0]["iter"]}_rank_{get_rank()}'
        stem = os.path.join(runner.work_dir, stem)
        steps = [
            dict(
                iter=step['iter'],
                parts={name: value.float().tolist() for name, value in step['parts'].items()},
                files=names_of(step['samples'], runner.train_dataloader.dataset),
            )
            for step in bad
        ]
        with whole_file(f'{stem}.json') as temporary, open(temporary, 'w') as file:
            json.dump(steps, file, indent=1)
        with whole_file(f'{stem}.pth') as temporary:
            torch.save({step['iter']: random_states(step['random']) for step in bad}, temporary)
        return [f'{stem}.json', f'{stem}.pth']


def finite(parts):
    """Whether all losses of a step are numbers."""
    values = [value for name, value in parts.items() if 'loss' in name]
    return all(math.isfinite(x) for value in values for x in value.float().flatten().tolist())


def describe(bad, longest, paths):
    if not bad:
        return f'the loss of another process was NaN or infinite {longest} times in a row.'
    first = bad[0]
    parts = ', '.join(
        f'{name} {value.float().mean().item():g}' for name, value in first['parts'].items()
    )
    return (
        f'the loss was NaN or infinite {longest} times in a row, first in iteration '
        f'{first["iter"]} ({parts}); its images, losses and random states are in {paths[0]} and '
        f'{os.path.basename(paths[1])}. Lower the learning rate, set optim_wrapper.clip_grad, or '
        'train in bfloat16 or float32.'
    )


def newest_intact_of(runner):
    """The last good checkpoint of a run, after what is being written; None if there is none."""
    for hook in runner.hooks:
        writer = getattr(hook, 'writer', None)
        if writer is not None:
            writer.wait()
    return newest_intact(runner.work_dir)
