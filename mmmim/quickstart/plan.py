"""The graph of jobs: data, pre-training per seed, and per task and side one training per rate."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from mmmim.jobs.job import Job
from mmmim.jobs.training import pretrain_result, read_config, train_command, transfer_result

from .options import Options
from .recipes import PRETRAIN_CONFIG, PRETRAIN_SMOKE, SIDES, TASKS
from .results import choose_lr, job_name


class Plan:
    """Builds the jobs of one run.

    Args:
        options: What the user asked for.
        n_images: Number of the user's own images, 0 for the scenes.
    """

    def __init__(self, options: Options, n_images: int = 0):
        self.options, self.n_images = options, n_images

    def training(self) -> dict[str, Job]:
        """Data, pre-training, and transfer with the first seed, in an order that can run."""
        jobs = [self.scenes(), *([self.shrink()] if self.n_images else [])]
        jobs += map(self.pretrain, self.options.seeds)
        for task in TASKS:
            inputs, batch_size = read_config(self.options.root / task.config)
            for index in range(max(len(self.options.lrs(task, side)) for side in SIDES)):
                for side in SIDES:  # neighbours, so that both sides run at the same time
                    lr = self.options.lrs(task, side)[index]
                    seed = self.options.seeds[0]
                    jobs.append(self.transfer(task, side, lr, seed, inputs, batch_size))
        return {job.name: job for job in jobs}

    def confirmation(self, markers) -> dict[str, Job]:
        """Transfer with the other seeds, at the learning rates that the first one chose on tune."""
        jobs, first = [], self.options.seeds[0]
        for task in TASKS:
            inputs, batch_size = read_config(self.options.root / task.config)
            for seed in self.options.seeds[1:]:
                for side in SIDES:
                    lrs = self.options.lrs(task, side)
                    lr, _ = choose_lr(task, side, markers, lrs, [first])
                    jobs.append(self.transfer(task, side, lr, seed, inputs, batch_size))
        return {job.name: job for job in jobs}

    def scenes(self) -> Job:
        """Make the embedded data set; returns at once when it is there."""
        tool = self.options.root / 'tools/dataset_converters/make_scenes.py'
        command = (sys.executable, str(tool), '--out', str(self.options.scenes), '--overwrite')
        return Job('scenes', 'Data', command, threads=self.options.slots, always=True)

    def pretrain(self, seed: int) -> Job:
        """One process per thread: unlike OpenMP threads, they do not wait for each other within
        an operation, and the gradients and masks are those of one process.
        """
        path = self.options.root / PRETRAIN_CONFIG
        inputs, batch_size = read_config(path)
        work_dir = self.pretrain_dir(seed)
        processes = 1 if self.options.full else self.options.slots
        overrides = []
        if self.n_images:
            overrides.append(f'train_dataloader.dataset.data_root={self.own_images}')
            overrides.append('train_dataloader.dataset.files=list.txt')
        overrides += [PRETRAIN_SMOKE] if self.options.smoke else []
        launcher = []
        if processes > 1 and batch_size % processes == 0:
            overrides.append(f'train_dataloader.batch_size={batch_size // processes}')
            launcher = [self.options.root / 'tools/torchrun.py', processes]
        command = train_command(
            self.options.root, path, work_dir, seed, '--resume', launcher=launcher
        )
        command += ('--cfg-options', *overrides) if overrides else ()
        return Job(
            name=f'pretrain-s{seed}',
            stage='Pre-training',
            command=command,
            collect=partial(pretrain_result, work_dir),
            needs=('scenes', 'shrink') if self.n_images else ('scenes',),
            threads=processes,
            omp_threads=1,
            work_dir=work_dir,
            resumable=True,
            batch_size=batch_size,
            label=f'seed {seed}',
            inputs=inputs + str(self.n_images),
        )

    def transfer(self, task, side, lr, seed, inputs, batch_size) -> Job:
        name = job_name(task, side, lr, seed)
        work_dir = self.options.run_dir / name
        extra = ['--pretrained', self.encoder(seed)] if side == 'pretrained' else []
        options = [f'optim_wrapper.optimizer.lr={lr:g}']
        if not self.options.full:  # nothing is chosen in a quick run
            options.append('custom_hooks.0.loops=[test]')
        options += [task.smoke] if self.options.smoke else []
        config = self.options.root / task.config
        command = train_command(
            self.options.root, config, work_dir, seed, *extra, '--cfg-options', *options
        )
        return Job(
            name=name,
            stage=task.title,
            command=command,
            collect=partial(transfer_result, work_dir),
            evaluates=True,
            needs=(f'pretrain-s{seed}',) if side == 'pretrained' else ('scenes',),
            work_dir=work_dir,
            batch_size=batch_size,
            label=side if not self.options.full else f'{side} s{seed}',
            inputs=inputs,
        )

    def pretrain_dir(self, seed: int) -> Path:
        return self.options.run_dir / f'pretrain-s{seed}'

    @staticmethod
    def last_checkpoint(work_dir) -> Path:
        """The checkpoint that mmengine noted last in ``work_dir``."""
        return Path((Path(work_dir) / 'last_checkpoint').read_text(encoding='utf-8').strip())

    def encoder(self, seed: int) -> Path:
        return self.pretrain_dir(seed) / 'encoder.pth'

    def shrink(self) -> Job:
        """Small copies of the user's images, listed as often as the scenes have views an epoch."""
        from mmmim.datasets.scenes import Settings

        count, options = str(Settings().counts['unlabeled']), self.options
        tool = options.root / 'tools/dataset_converters/shrink_images.py'
        command = [sys.executable, tool, options.data, '--out', self.own_images]
        command += ['--limit', count, '--entries', count, '--threads', options.slots]
        command = tuple(map(str, command))
        return Job('shrink', 'Data', command, threads=options.slots, label='images', always=True)

    @property
    def own_images(self) -> Path:
        return self.options.run_dir / 'images'
