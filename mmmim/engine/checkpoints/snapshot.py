"""The state of a run, copied to the host."""

import logging
import time

import mmengine
import torch
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper

from mmmim.version import __version__

from ..sharded import gathered, is_spread
from .plain import to_plain

_told = set()


def snapshot(runner, meta, optimizer=True, schedulers=True, run_state=None):
    """What mmengine saves, as plain data that training no longer touches.

    Of a model that is spread over the processes (see sharded.py) all must call this; the first
    receives it. The layout is mmengine's (``meta``, ``state_dict``, ``message_hub``, ``optimizer``,
    ``param_schedulers`` and what hooks add), so that its runner resumes from it too.

    Args:
        runner (Runner): Ours or mmengine's.
        meta (dict): ``epoch`` and ``iter``, counted as done.
        optimizer (bool): With the state of the optimizer.
        schedulers (bool): With the state of the schedules.
        run_state (dict, optional): See run_state.py.

    Returns:
        dict: On the host.
    """
    checkpoint = dict(meta=describe(runner, meta), state_dict=plain_model(runner).state_dict())
    checkpoint['message_hub'] = runner.message_hub.state_dict()
    if optimizer:
        checkpoint['optimizer'] = runner.optim_wrapper.state_dict()
    if schedulers and runner.param_schedulers is not None:
        checkpoint['param_schedulers'] = states_of(runner.param_schedulers)
    if run_state is not None:
        checkpoint['run_state'] = run_state
    runner.call_hook('before_save_checkpoint', checkpoint=checkpoint)
    return to_host(checkpoint)


def to_host(checkpoint):
    """A plain copy in the host's memory; from a GPU through pinned memory, waited for once."""
    lost, devices = [], set()

    def copy_tensor(tensor):
        tensor = gathered(tensor) if is_spread(tensor) else tensor
        if not tensor.is_cuda:
            return tensor.cpu().clone() if tensor.device.type == 'cpu' else tensor.cpu()
        devices.add(tensor.device)
        return torch.empty_like(tensor, device='cpu', pin_memory=True).copy_(
            tensor, non_blocking=True
        )

    copied = to_plain(checkpoint, lost, copy_tensor=copy_tensor)
    for device in devices:
        torch.cuda.synchronize(device)
    new = sorted(set(lost) - _told)
    if new:
        _told.update(new)
        print_log(
            f'not in the checkpoint, since they are no plain data: {", ".join(new)}',
            'current',
            logging.WARNING,
        )
    return copied


def describe(runner, meta):
    """The ``meta`` of mmengine's checkpoints."""
    meta = dict(
        meta,
        cfg=runner.cfg.pretty_text,
        seed=runner.seed,
        experiment_name=runner.experiment_name,
        time=time.strftime('%Y%m%d_%H%M%S', time.localtime()),
        mmengine_version=mmengine.__version__,
        mmmim_version=__version__,
    )
    metainfo = getattr(runner.train_dataloader.dataset, 'metainfo', None)
    if metainfo is not None:
        meta['dataset_meta'] = metainfo
    return meta


def states_of(schedulers):
    """States of a list of schedules, or of lists by name."""
    if isinstance(schedulers, dict):
        return {name: states_of(some) for name, some in schedulers.items()}
    return [scheduler.state_dict() for scheduler in schedulers]


def plain_model(runner):
    """The model inside a distributed wrapper."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
