"""mmengine's Runner, made to run on CPUs and to count accumulation."""

import copy
import logging
import math
import pickle
from zipfile import BadZipFile

from mmengine.logging import print_log
from mmengine.model import MMDistributedDataParallel, revert_sync_batchnorm
from mmengine.runner import Runner as BaseRunner
from torch.nn import SyncBatchNorm

from mmmim.registry import RUNNERS

from .errors import CheckpointError

# What torch raises over files that are something else, or damaged.
_UNREADABLE = (pickle.UnpicklingError, EOFError, BadZipFile, IndexError, KeyError, RuntimeError)


@RUNNERS.register_module()
class Runner(BaseRunner):
    """mmengine's Runner with repairs.

    * On CPUs several processes work: synchronised batch norm, which needs GPUs, becomes batch norm,
      saying so, and the distributed wrapper gets no device.
    * Iteration schedules count optimizer updates, so that accumulation does not stretch or shift
      them (with ``mmmim.ParamSchedulerHook``).
    * ``scale_lr`` is left to the launcher, which counts accumulation.
    * The listing of environment, config and hooks goes to the log file only.
    """

    schedules_count_updates = True
    training_began = False

    @property
    def accumulation(self):
        """int: Micro-batches per optimizer update."""
        return getattr(self.optim_wrapper, '_accumulative_counts', 1)

    def build_logger(self, *args, **kwargs):
        logger = super().build_logger(*args, **kwargs)
        keep_console_short(logger)
        return logger

    def wrap_model(self, model_wrapper_cfg, model):
        if not on_cpu():
            return super().wrap_model(model_wrapper_cfg, model)
        model = without_sync_batchnorm(model)
        if not self.distributed or model_wrapper_cfg is not None:
            return super().wrap_model(model_wrapper_cfg, model)
        return MMDistributedDataParallel(
            module=model,
            broadcast_buffers=False,
            find_unused_parameters=self.cfg.get('find_unused_parameters', False),
        )

    def load_checkpoint(self, filename, *args, **kwargs):
        try:
            return super().load_checkpoint(filename, *args, **kwargs)
        except _UNREADABLE as error:
            reason = f'{type(error).__name__}: {error}'.splitlines()[0]
            raise CheckpointError(f'{filename} is no readable checkpoint ({reason}).') from error

    def scale_lr(self, optim_wrapper, auto_scale_lr=None):
        if auto_scale_lr and auto_scale_lr.get('enable', False):
            raise ValueError(
                'auto_scale_lr.enable=True: mmmim.Runner does not scale rates, since mmengine does '
                'not count accumulation; leave it to tools/train.py (--scale-lr).'
            )

    def _build_param_scheduler(self, scheduler, optim_wrapper):
        if self.accumulation == 1:
            return super()._build_param_scheduler(scheduler, optim_wrapper)
        schedulers = scheduler if isinstance(scheduler, (list, tuple)) else [scheduler]
        counted = [self._count_updates(s) if isinstance(s, dict) else s for s in schedulers]
        return super()._build_param_scheduler(counted, optim_wrapper)

    def _count_updates(self, scheduler):
        """A schedule's config with lengths in updates instead of micro-batches."""
        scheduler = copy.deepcopy(scheduler)
        scheduler.setdefault('epoch_length', len(self.train_dataloader) / self.accumulation)
        if not scheduler.get('by_epoch', True):
            scheduler.setdefault('end', math.ceil(self.max_iters / self.accumulation))
        return scheduler

    def call_hook(self, fn_name, **kwargs):
        if fn_name == 'before_train':  # for schedules of the model, such as a momentum's
            updates = math.ceil(self.max_iters / self.accumulation)
            self.message_hub.update_info('max_updates', updates)
        if fn_name == 'after_train_iter':
            self.training_began = True
        super().call_hook(fn_name, **kwargs)


_FOR_THE_FILE = (
    '\n' + '-' * 60 + '\nSystem environment',
    'Config:\n',
    'Hooks will be executed',
    'Distributed training is not used',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
)


def keep_console_short(logger):
    """Keep pages of listings and notes about mmengine itself off the console."""
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.addFilter(lambda record: not record.getMessage().startswith(_FOR_THE_FILE))


def on_cpu():
    from mmengine.device import get_device

    return get_device() == 'cpu'


def without_sync_batchnorm(model):
    """Convert ``SyncBatchNorm`` to batch norm of the same kind, saying so in one line."""
    count = sum(isinstance(module, SyncBatchNorm) for module in model.modules())
    if count:
        print_log(
            f'{count} SyncBN layers run as BN: synchronisation needs GPUs, on CPUs each process '
            'normalises with its own micro-batch.',
            logger='current',
        )
        model = revert_sync_batchnorm(model)
    return model
