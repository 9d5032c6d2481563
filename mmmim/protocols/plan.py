"""The graph of jobs: one training per task, side, rate and seed, one job of frozen features."""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cached_property, partial
from pathlib import Path

from mmmim.jobs.job import Job, write_atomic
from mmmim.jobs.scenes import manifest
from mmmim.jobs.training import FINAL_METRICS, config_text, train_command
from mmmim.living_table.configs import DATA, Unavailable, backbone_words, load_config, moved_paths
from mmmim.living_table.measures import read_result

from .options import Options
from .outcome import choose_rate, frozen_seeds, job_name
from .recipes import CLASS_TOKEN, PROTOCOLS


class Plan:
    """Jobs of one checkpoint; ``graph`` is what the scheduler asks.

    Args:
        options: Of the call.

    Raises:
        ValueError: If a config cannot be read, or the checkpoint does not fit a recipe.
    """

    def __init__(self, options: Options):
        self.options = options
        self.checkpoint = options.checkpoint.absolute()
        self.digest = file_digest(self.checkpoint)
        self.meta = encoder_meta(self.checkpoint)
        self.settings = {task: Setting(task, options, self.meta) for task in options.tasks}

    def graph(self, done: dict) -> dict[str, Job]:
        """All jobs known now, in the order of the tasks."""
        jobs = {}
        for task in self.options.tasks:
            for side in self.options.sides:
                for job in self.jobs(task, side, done):
                    jobs.setdefault(job.name, job)
        return jobs

    def jobs(self, task: str, side: str, done):
        """One seed tries all rates; the others take the best."""
        setting, seeds = self.settings[task], self.options.seeds
        if setting.frozen:
            yield from (self.frozen(task, side, seed) for seed in frozen_seeds(side, seeds))
            return
        for seed in seeds:
            rates = setting.rates(side)
            if seed != seeds[0] and len(rates) > 1:
                rate = choose_rate(setting, side, rates, seeds[0], done)
                rates = () if rate is None else (rate,)
            for rate in rates:
                yield self.train(task, side, rate, seed)

    def train(self, task: str, side: str, rate: float | None, seed: int) -> Job:
        options, setting = self.options, self.settings[task]
        name = job_name(task, side, rate, seed)
        work_dir = (options.run_dir / name).absolute()
        words = [] if rate is None else [f'optim_wrapper.optimizer.lr={rate:g}']
        words += setting.words
        extra = ['--resume', *(['--pretrained', self.checkpoint] if side == 'pretrained' else [])]
        extra += ['--cfg-options', *words] if words else []
        launcher = ()
        if options.gpus:
            launcher = (options.root / 'tools/torchrun.py', options.gpus)
        command = train_command(
            options.root, setting.path, work_dir, seed, *extra, launcher=launcher
        )
        return Job(
            name=name,
            stage=setting.protocol.title,
            command=command,
            collect=partial(training_result, work_dir, setting.key),
            work_dir=work_dir,
            resumable=True,
            evaluates=True,
            batch_size=setting.batch_size,
            label=f'{side} s{seed}',
            inputs=setting.text + self.data_text + self._weights(side),
        )

    def frozen(self, task: str, side: str, seed: int) -> Job:
        """Features once, for all frozen tasks on the same data."""
        options, setting = self.options, self.settings[task]
        tasks = [
            name
            for name in options.tasks
            if self.settings[name].frozen and self.settings[name].path == setting.path
        ]
        name = f'frozen-{"-".join(tasks)}-{side}-s{seed}'
        out = (options.run_dir / name / 'result.json').absolute()
        tool = options.root / 'tools/analysis/frozen_probe.py'
        encoder = self.checkpoint if side == 'pretrained' else 'random'
        command = [sys.executable, tool, setting.path, encoder, '--protocols', ','.join(tasks)]
        command += ['--feature', self.feature, '--seed', seed, '--out', out]
        if side == 'scratch' and self.meta:
            command += ['--backbone', self._backbone_file()]
        command += ['--cfg-options', *setting.words] if setting.words else []
        return Job(
            name=name,
            stage='Frozen features',
            command=tuple(map(str, command)),
            collect=partial(read_result, out),
            work_dir=out.parent,
            evaluates=True,
            label=side,
            inputs=setting.text + self.data_text + self._weights(side),
        )

    @property
    def feature(self) -> str:
        """What stands for an image in the frozen protocols."""
        if self.options.feature != 'auto':
            return self.options.feature
        method = str(self.meta.get('method', '')).split('-')[0]
        return 'cls' if method in CLASS_TOKEN else 'mean'

    def _weights(self, side: str) -> str:
        return self.digest if side == 'pretrained' else ''

    def _backbone_file(self) -> Path:
        """The random twin has the architecture of the encoder."""
        path = (self.options.run_dir / 'backbone.py').absolute()
        write_atomic(path, f'model = dict(backbone={self.meta["backbone"]!r})\n')
        return path

    @cached_property
    def data_text(self) -> str:
        found = manifest(self.options.data) if self.options.on_scenes else None
        return found['fingerprint'] if found else ''


class Setting:
    """How one task is run: the embedded recipe, or the user's config.

    Args:
        task: Name of the protocol.
        options: Of the call.
        meta: Of the encoder file, empty for other checkpoints.

    Attributes:
        path: Of the config, absolute.
        own: Whether the user gave it.
        frozen: Features computed once, nothing but a linear layer is trained.
        words: For --cfg-options.
        text: What the result depends on.
    """

    def __init__(self, task: str, options: Options, meta: dict):
        self.task, self.options, self.protocol = task, options, PROTOCOLS[task]
        self.own = task in options.configs
        # A config for `lin` is trained; k-NN takes its data from one.
        self.frozen = task == 'knn' or (self.protocol.scenes is None and not self.own)
        recipe = self.protocol.scenes or PROTOCOLS['ft'].scenes
        path = Path(options.configs[task]) if self.own else options.root / recipe.config
        self.path = path.absolute()
        given = options.words
        # Words without a task are for trainings.
        self.user_words = (*(() if self.frozen else given.get('', ())), *given.get(task, ()))
        self.cfg = load_config(self.path, self.user_words)
        self.words = list(self.user_words)
        if not self.own:
            self.words += moved_paths(self.cfg, {DATA: str(Path(options.data))})
            if not self.frozen:
                self.words += fitting_words(self.path, meta, self.cfg)
            if options.smoke and not self.frozen:
                self.words.append(recipe.smoke)
        self.text = config_text(self.cfg)

    @property
    def key(self) -> str:
        """The headline metric among those that a job reports."""
        trained_probe = self.protocol.scenes is None and not self.frozen
        return PROTOCOLS['ft'].key if trained_probe else self.protocol.key

    @property
    def batch_size(self) -> int:
        loader = self.cfg.get('train_dataloader') or {}
        return loader.get('batch_size') or 0

    def rates(self, side: str) -> tuple:
        """Learning rates to try; None stands for the config's own."""
        if self.task in self.options.rates:
            return self.options.rates[self.task]
        if self.own:
            return (None,)
        recipe = self.protocol.scenes
        return recipe.grid if self.options.grid else (recipe.lrs[side],)

    def deviation(self) -> str:
        """How this differs from the papers' setting, as far as it is known."""
        if not self.own:
            known = self.protocol.deviation
        elif self._is_shipped():
            known = f'as {self.path.parent.name}/{self.path.name}'
        else:
            known = 'your own config'
        changed = list(self.user_words)
        if self.own and self.task in self.options.rates:
            changed.append('lr of ' + ', '.join(f'{rate:g}' for rate in self.rates('')))
        return f'{known}; changed: {" ".join(changed)}' if changed else known

    def _is_shipped(self) -> bool:
        return (self.options.root / 'configs').absolute() in self.path.parents


def fitting_words(path: Path, meta: dict, cfg) -> list[str]:
    """Words that give an embedded recipe the backbone of an encoder file.

    Raises:
        ValueError: If width, depth, patch or image size are not those of the recipe.
    """
    if not meta.get('backbone'):
        return []
    from mmengine.config import ConfigDict

    try:
        return backbone_words(ConfigDict(meta['backbone']), cfg.model.backbone)
    except Unavailable as error:
        raise ValueError(
            f'The encoder does not fit {path.name}: {error}. Give configs of its size with '
            '--configs, e.g. --configs ft=configs/classification/'
            'finetune_vit-base-p16_8xb128-amp-coslr-100e_in1k.py.'
        ) from None


def file_digest(path: Path) -> str:
    found = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 22):
            found.update(block)
    return found.hexdigest()[:16]


def encoder_meta(path: Path) -> dict:
    """What an ``encoder.pth`` says about itself, empty for other files.

    Raises:
        ValueError: If the file is no readable checkpoint.
    """
    from mmmim.engine.encoder_file import FORMAT
    from mmmim.transfer import read_encoder

    meta = read_encoder(path)[2]
    return meta if meta.get('format') == FORMAT else {}


def training_result(work_dir: Path, key: str) -> dict:
    """Metrics of a training: of its final evaluation, else of its last one.

    Returns:
        dict: ``val`` is reported; ``tune`` is what choices are made on, None where the config has
        no split of its own for that.

    Raises:
        FileNotFoundError: If nothing was evaluated.
    """
    path = Path(work_dir) / FINAL_METRICS
    if path.is_file():
        metrics = json.loads(path.read_text(encoding='utf-8'))
        if 'test' in metrics:
            return dict(tune=metrics.get('val'), val=metrics['test'])
        return dict(tune=None, val=metrics['val'])
    found = None
    for log in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):
        for line in log.read_text(encoding='utf-8').splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:  # the line that a kill cut short
                continue
            found = entry if key in entry else found
    if found is None:
        raise FileNotFoundError(f'no evaluation with {key} in the logs of {work_dir}')
    return dict(tune=None, val=found)
