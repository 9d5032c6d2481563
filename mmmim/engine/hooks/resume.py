"""How a run goes on from a checkpoint as if it had not been stopped."""

import logging

import torch
from mmengine.logging import print_log

from ..checkpoints.fingerprint import differences, experiment_of
from ..checkpoints.plain import restore_histories
from ..checkpoints.position import skip_batches
from ..checkpoints.run_state import convert_counts, restore_gradients, restore_random
from ..errors import CheckpointError

_SHOWN = 12


class ResumeMixin:
    """The part of ``CheckpointHook`` that reads; ``changed`` and ``resumed`` are its attributes."""

    def after_load_checkpoint(self, runner, checkpoint):
        if not isinstance(checkpoint.get('message_hub'), dict):
            return
        restore_histories(checkpoint['message_hub'].get('log_scalars', {}))
        state = checkpoint.get('run_state')
        if not runner._resume:
            return
        if state is None:
            print_log(
                'the checkpoint is of another tool: random states and the position in the data '
                'are not in it, the resume is approximate.',
                'current',
                logging.WARNING,
            )
            return
        self._compare(runner, state['experiment'])
        convert_counts(runner, checkpoint['meta'], state)
        self.resumed = state

    def _compare(self, runner, before):
        found = differences(before, experiment_of(runner.cfg))
        if not found:
            return
        more = [f'... and {len(found) - _SHOWN} more'] if len(found) > _SHOWN else []
        shown = '\n  '.join(['', *(line[:200] for line in found[:_SHOWN]), *more])
        text = f'the checkpoint in {runner.work_dir} was made with another config:{shown}'
        if self.changed == 'refuse':
            raise CheckpointError(
                f'{text}\nChoose another --work-dir, or go on all the same with --accept-changes.'
            )
        print_log(text, 'current', logging.WARNING)

    def _go_on(self, runner):
        """Last act before the first iteration, on all processes."""
        loader = runner.train_dataloader
        if loader.generator is None:
            # Starting a pass draws a number; it must not come from the generator of the model.
            loader.generator = torch.Generator().manual_seed(runner.seed or 0)
        state, self.resumed = self.resumed, None
        if state is None:
            return
        restore_gradients(runner, state['gradients'])
        restore_random(state['random'])
        where = f'epoch {runner.epoch + 1}, ' if by_epoch(runner) else ''
        rate = runner.optim_wrapper.get_lr()
        rate = rate.get('base_lr') or rate['lr']
        runner.logger.info(f'resumed at {where}iteration {runner.iter + 1}, lr {rate[0]:.3e}.')

    def before_train_epoch(self, runner):
        """Leave out what the interrupted epoch has used."""
        loader, loop = runner.train_dataloader, runner.train_loop
        if by_epoch(runner):
            skip_batches(loader, runner.iter - runner.epoch * len(loader))
        elif runner.iter and not hasattr(loader.sampler, 'skip'):
            # Sampler indices are passed over; mmengine would load the samples and drop them.
            if hasattr(loop, 'fast_forward_on_resume'):
                loop.fast_forward_on_resume = True
                skip_batches(loader, runner.iter)


def by_epoch(runner):
    """Whether the training loop counts epochs."""
    return 'Iter' not in type(runner.train_loop).__name__
