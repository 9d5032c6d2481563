"""One log line for people: images/s, loss, rate, time left."""

import datetime
import resource

import torch
from mmengine.runner import LogProcessor as BaseLogProcessor
from mmengine.runner import loops

from mmmim.registry import LOG_PROCESSORS

_SHOWN = ('lr', 'time', 'data_time', 'images_per_second', 'loss')


@LOG_PROCESSORS.register_module()
class LogProcessor(BaseLogProcessor):
    """Lines such as ``Epoch 3/800 [ 50/312]  1234 images/s  loss 0.4321  lr 2.4e-03  eta 1:23``.

    Args:
        by_epoch (bool, optional): None follows the training loop.
        window_size (int): Log lines to average over; ``LossMeterHook`` has averaged between lines
            already.
        **kwargs: Of mmengine's ``LogProcessor``.
    """

    def __init__(self, by_epoch=None, window_size=1, **kwargs):
        super().__init__(window_size=window_size, by_epoch=bool(by_epoch), **kwargs)
        self.follow_loop = by_epoch is None

    def get_log_after_iter(self, runner, batch_idx, mode):
        self._follow(runner)
        if mode != 'train':
            return super().get_log_after_iter(runner, batch_idx, mode)
        tag = dict(self._collect_scalars(self._parse_windows_size(runner, batch_idx), runner, mode))
        tag['memory'] = memory_mib()
        line = '  '.join([self._place(runner, batch_idx), *describe(tag), eta(runner)])
        if self.log_with_hierarchy:
            tag = {f'train/{key}': value for key, value in tag.items()}
        if self.by_epoch:
            tag['epoch'] = runner.epoch + 1
        tag['iter'] = runner.iter + 1
        return tag, line

    def get_log_after_epoch(self, runner, *args, **kwargs):
        self._follow(runner)
        return super().get_log_after_epoch(runner, *args, **kwargs)

    def _follow(self, runner):
        if self.follow_loop:
            self.by_epoch = not isinstance(runner._train_loop, loops.IterBasedTrainLoop)

    def _place(self, runner, batch_idx):
        if not self.by_epoch:
            return f'Iter {runner.iter + 1:>{len(str(runner.max_iters))}}/{runner.max_iters}'
        length = len(runner.train_dataloader)
        epoch = f'{runner.epoch + 1:>{len(str(runner.max_epochs))}}/{runner.max_epochs}'
        return f'Epoch {epoch} [{batch_idx + 1:>{len(str(length))}}/{length}]'


def describe(tag):
    """Words of the line from the scalars ``tag``."""
    words = []
    if 'images_per_second' in tag:
        words.append(f'{tag["images_per_second"]:.4g} images/s')
    if 'loss' in tag:
        words.append(f'loss {tag["loss"]:.4f}')
    terms = [key for key in tag if key not in _SHOWN and key != 'memory']
    if sum('loss' in key for key in terms) == 1:  # the only term of the sum shown already
        terms = [key for key in terms if 'loss' not in key]
    words += [f'{key} {tag[key]:.4f}' for key in terms]
    if 'lr' in tag:
        words.append(f'lr {tag["lr"]:.3e}')
    if tag.get('time'):
        share = tag.get('data_time', 0) / tag['time']
        words.append(f'data {share:.0%}')
    words.append(f'memory {tag["memory"]} MiB')
    return words


def eta(runner):
    """Time left, as the meter estimates it."""
    seconds = runner.message_hub.runtime_info.get('eta')
    return 'eta ?' if seconds is None else f'eta {datetime.timedelta(seconds=int(seconds))}'


def memory_mib():
    """Peak memory: of tensors on the GPU, else of the process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated() / 2**20)
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
