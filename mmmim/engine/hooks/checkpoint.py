"""Checkpoints written whole, in the background, with an encoder-only file beside them."""

import atexit
import functools
import os
from glob import glob

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook as BaseCheckpointHook
from mmengine.logging import print_log

from mmmim.registry import HOOKS

from ..checkpoints import Writer, newest_intact, require_intact, snapshot, write_file
from ..checkpoints.newest import POINTER
from ..checkpoints.run_state import run_state
from ..checkpoints.snapshot import plain_model
from ..disk import checkpoint_bytes, require_space, whole_file
from ..encoder_file import encoder_meta, is_pretraining, write_encoder
from ..errors import CheckpointError
from ..sharded import is_sharded
from .resume import ResumeMixin

KEPT = 'kept_checkpoints'


@HOOKS.register_module()
class CheckpointHook(ResumeMixin, BaseCheckpointHook):
    """mmengine's hook, with files that are whole, plain and checked, and a resume that is exact.

    At a save the state is copied to the host; a thread writes it to a temporary name, flushes and
    renames it, and only then removes older ones, while training goes on (mmengine removes first
    and writes in place, so that a crash can lose both). Files hold tensors, numbers and strings
    only, load with ``weights_only=True`` and end in a checksum; weights that are not finite are
    not saved. A resume takes the newest file that fits its checksum. All of this also works under
    mmengine's runner, and the files resume under mmengine's own hook.

    Self-supervisors also get ``encoder.pth``: the backbone as plain tensors with its metadata,
    which ``pretrained=`` of the transfer configs takes.

    Args:
        encoder (bool): Write ``encoder.pth`` for self-supervisors.
        changed (str): What a resume does where the config differs from that of the checkpoint in
            what is computed: ``'refuse'``, showing the differences, or ``'warn'``.
        **kwargs: Of mmengine's ``CheckpointHook``.

    Raises:
        DiskSpaceError: If the disk is too small or full; the last checkpoint is untouched.
        CheckpointError: If a resume finds only damaged files, or another experiment.
        ValueError: If ``changed`` is unknown.
    """

    def __init__(self, *args, encoder=True, changed='refuse', **kwargs):
        super().__init__(*args, **kwargs)
        if changed not in ('refuse', 'warn'):
            raise ValueError(f"CheckpointHook: changed={changed!r} must be 'refuse' or 'warn'.")
        self.encoder, self.changed = encoder, changed
        self.writer = Writer()
        self.resumed = None

    def before_run(self, runner):
        """Choose the file to resume from before the runner does."""
        if runner._has_loaded:
            return
        if runner._resume and runner._load_from is None:
            runner._load_from = newest_intact(runner.work_dir)
            if runner._load_from is None:
                runner.logger.info(f'no checkpoint in {runner.work_dir} yet: starting anew.')
                runner._resume = False
        elif runner._load_from is not None and os.path.isfile(runner._load_from):
            require_intact(runner._load_from)

    def before_train(self, runner):
        super().before_train(runner)
        self.names = list(runner.message_hub.runtime_info.get(KEPT, []))
        self._go_on(runner)
        if not self._is_local() or not is_main_process():
            return
        atexit.register(self.writer.jobs.join)  # an error elsewhere loses no file in work
        for leftover in glob(os.path.join(self.out_dir, '.*.pth.tmp')):
            os.remove(leftover)
        self._remove(self._outdated())
        if self.interval > 0 or self.save_last:
            size = checkpoint_bytes(plain_model(runner)) if self.save_optimizer else 0
            require_space(self.out_dir, 2 * size, 'writing a checkpoint beside the last one')

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.writer.check()
        super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def after_train(self, runner):
        self.writer.wait()
        super().after_train(runner)
        if is_main_process() and self._is_local() and os.path.isfile(self._path('encoder.pth')):
            runner.logger.info(f'the encoder alone: {self._path("encoder.pth")}')

    def _is_local(self):
        return isinstance(self.file_backend, LocalBackend)

    def save_now(self, runner):
        """Save after the iteration that is being ended, off the schedule, and wait for the disk."""
        done = runner.iter + 1
        if self._path(f'iter_{done}.pth') != self.last_ckpt:
            meta = dict(epoch=runner.epoch, iter=done)
            self._save(runner, f'iter_{done}.pth', meta)
        self.writer.wait()

    def _save_checkpoint_with_step(self, runner, step, meta):
        if not self._is_local():
            super()._save_checkpoint_with_step(runner, step, meta)
            return
        self._save(runner, self.filename_tmpl.format(step), meta)

    def _path(self, name):
        return os.path.join(self.out_dir, name)

    def _save(self, runner, name, meta, keep=True):
        """Hand a snapshot to the writer. All processes must call this."""
        self.last_ckpt = path = self._path(name)
        self.names = [n for n in self.names if n != name] + [name]
        runner.message_hub.update_info('last_ckpt', path)
        # With those that go once the file is there: a run killed in between still removes them.
        runner.message_hub.update_info(KEPT, list(self.names))
        outdated = self._outdated()
        state = run_state(runner)
        if not is_main_process() and not is_sharded(plain_model(runner)):
            return
        self.writer.wait()
        checkpoint = snapshot(runner, meta, self.save_optimizer, self.save_param_scheduler, state)
        if not is_main_process():
            return
        job = functools.partial(self._write, runner, path, checkpoint, outdated)
        self.writer.submit(functools.partial(job, self._encoder_meta(runner, meta)))

    def _outdated(self):
        """Forget the names beyond those to keep, and return them."""
        if self.max_keep_ckpts <= 0:
            return []
        outdated = self.names[: -self.max_keep_ckpts]
        self.names = self.names[-self.max_keep_ckpts :]
        return outdated

    def _remove(self, names):
        for name in names:
            if os.path.isfile(self._path(name)):
                os.remove(self._path(name))

    def _encoder_meta(self, runner, meta):
        model = plain_model(runner)
        if self.encoder and is_pretraining(model):
            return encoder_meta(model, runner.cfg, meta)
        return None

    def _write(self, runner, path, checkpoint, outdated, encoder):
        """In the thread: encoder first, so that a run that is killed between writes it again."""
        if not all_finite(checkpoint['state_dict']):
            print_log(
                f'{path} is NOT WRITTEN: the weights are not finite. The checkpoint before stays.',
                'current',
                40,
            )
            return
        if encoder is not None:
            write_encoder(self._path('encoder.pth'), checkpoint['state_dict'], encoder)
        write_file(path, checkpoint)
        with whole_file(os.path.join(runner.work_dir, POINTER)) as temporary:
            with open(temporary, 'w', encoding='utf-8') as file:
                file.write(path)
        self._remove(outdated)

    def _save_best_checkpoint(self, runner, metrics):
        """Write the best weights before the former best go."""
        if not self.save_best or not self._is_local():
            super()._save_best_checkpoint(runner, metrics)
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        step = runner.epoch if self.by_epoch else runner.iter
        meta = dict(epoch=runner.epoch, iter=runner.iter)
        better = False
        for key, rule in zip(self.key_indicators, self.rules):
            if key not in metrics:
                raise CheckpointError(
                    f'save_best={key!r}: the evaluation gives {", ".join(metrics)} only.'
                )
            better |= self._save_if_best(runner, key, rule, float(metrics[key]), step, meta)
        if better and self.last_ckpt is not None:  # which knows the best then
            self._save(runner, self.filename_tmpl.format(step), meta)

    def _save_if_best(self, runner, key, rule, score, step, meta):
        hub = runner.message_hub
        suffix = '' if len(self.key_indicators) == 1 else f'_{key}'
        best = hub.runtime_info.get(f'best_score{suffix}', self.init_value_map[rule])
        if not self.is_better_than[key](score, best):
            return False
        former = hub.runtime_info.get(f'best_ckpt{suffix}')
        name = f'best_{key}_{self.filename_tmpl.format(step)}'.replace('/', '_')
        hub.update_info(f'best_score{suffix}', score)
        hub.update_info(f'best_ckpt{suffix}', self._path(name))
        if is_main_process() or is_sharded(plain_model(runner)):
            self.writer.wait()
            checkpoint = snapshot(runner, meta, optimizer=False, schedulers=False)
        if is_main_process():
            job = functools.partial(write_best, self._path(name), checkpoint, former)
            self.writer.submit(job)
        runner.logger.info(f'The best {key} so far, {score:.4f}: {name}.')
        return True


def write_best(path, checkpoint, former):
    """In the thread: the former best goes when the new one is there."""
    write_file(path, checkpoint)
    if former and former != path and os.path.isfile(former):
        os.remove(former)


def all_finite(state):
    """Whether no weight of a state dict on the host is NaN or infinite; buffers may be."""
    weights = (v for k, v in state.items() if k.endswith(('weight', 'bias')))
    return all(bool(torch.isfinite(v).all()) for v in weights if v.is_floating_point())
