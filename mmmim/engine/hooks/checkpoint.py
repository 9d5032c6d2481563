"""Checkpoints written whole, with an encoder-only file beside them."""

import os
from glob import glob

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook as BaseCheckpointHook
from mmengine.model import is_model_wrapper

from mmmim.registry import HOOKS

from ..disk import checkpoint_bytes, require_space, whole_file
from ..encoder_file import is_pretraining, save_encoder


@HOOKS.register_module()
class CheckpointHook(BaseCheckpointHook):
    """mmengine's hook, with files that are whole or absent.

    A checkpoint is written to a temporary name, flushed and renamed, and older ones are removed
    only then (mmengine removes first and writes in place, so that a crash can lose both). Before
    the first step the free space is compared to the size of a checkpoint. Self-supervisors also get
    ``encoder.pth``: the backbone as plain tensors with its metadata, which ``pretrained=`` of the
    transfer configs takes.

    Args:
        encoder (bool or str): Write ``encoder.pth``, or a file of this name, for self-supervisors.
        **kwargs: Of mmengine's ``CheckpointHook``.

    Raises:
        DiskSpaceError: If the disk is too small or full.
    """

    def __init__(self, *args, encoder=True, **kwargs):
        super().__init__(*args, **kwargs)
        self.encoder = encoder

    def before_train(self, runner):
        super().before_train(runner)
        if not self._is_local() or not is_main_process():
            return
        for leftover in glob(os.path.join(self.out_dir, '.*.pth.tmp')):
            os.remove(leftover)
        if self.interval > 0 or self.save_last:
            size = checkpoint_bytes(plain(runner.model)) if self.save_optimizer else 0
            require_space(self.out_dir, 2 * size, 'writing a checkpoint beside the last one')

    def _is_local(self):
        return isinstance(self.file_backend, LocalBackend)

    def _save_checkpoint_with_step(self, runner, step, meta):
        if not self._is_local():
            super()._save_checkpoint_with_step(runner, step, meta)
            return
        path = os.path.join(self.out_dir, self.filename_tmpl.format(step))
        outdated = self._keep(runner, step)
        self.last_ckpt = path
        runner.message_hub.update_info('last_ckpt', path)
        if is_main_process():
            self._write(runner, path, meta)
            for old in outdated:
                remove(os.path.join(self.out_dir, self.filename_tmpl.format(old)))

    def _keep(self, runner, step):
        """Enter ``step`` among those kept; returns the steps whose files may go."""
        if self.max_keep_ckpts <= 0:
            return []
        kept = [s for s in self.keep_ckpt_ids if s != step] + [step]
        outdated = kept[: -self.max_keep_ckpts]
        self.keep_ckpt_ids.clear()
        self.keep_ckpt_ids.extend(kept[-self.max_keep_ckpts :])
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        return outdated

    def _write(self, runner, path, meta):
        with whole_file(path) as temporary:
            runner.save_checkpoint(
                self.out_dir,
                os.path.basename(temporary),
                self.file_client_args,
                save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler,
                meta=meta,
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args,
            )
        with whole_file(os.path.join(runner.work_dir, 'last_checkpoint')) as temporary:
            with open(temporary, 'w') as file:
                file.write(path)
        model = plain(runner.model)
        if self.encoder and is_pretraining(model):
            name = self.encoder if isinstance(self.encoder, str) else 'encoder.pth'
            save_encoder(os.path.join(self.out_dir, name), model, runner.cfg, meta)


def plain(model):
    """The model inside a distributed wrapper."""
    return model.module if is_model_wrapper(model) else model


def remove(path):
    if os.path.isfile(path):
        os.remove(path)
