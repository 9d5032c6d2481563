"""The graph of the table: which job comes when, and what becomes known on the way."""

from __future__ import annotations

import sys
from functools import cached_property, partial
from pathlib import Path
from statistics import median

from mmmim.jobs.job import Job
from mmmim.jobs.scenes import manifest
from mmmim.jobs.training import train_command, transfer_result
from mmmim.quickstart.results import job_name
from mmmim.visualization.report.record import curve, read_scalars

from . import methods
from .configs import DATA, Unavailable, find_config, is_classifier, load_config, moved_paths
from .measures import chosen_rate, mixture_choice, read_result
from .methods import GROUPS, PREREQUISITES
from .options import FROZEN, TRAINED, Options
from .recipe import Recipe, Transfer, prerequisite

FIRST_LOOP_ONLY = 'custom_hooks.0.loops=[test]'


class Plan:
    """Jobs of a table; ``graph`` is what the scheduler asks.

    Args:
        options: Of the table.
        failed: Names of failed jobs, filled by the scheduler.

    Attributes:
        problems: Row -> why it cannot be trained.
    """

    def __init__(self, options: Options, failed=()):
        self.options, self.failed = options, failed
        self.problems, self._recipes, self._transfers = {}, {}, {}
        self.places = {DATA: str(options.data)}
        for item in PREREQUISITES:
            self.places[item.made] = str(options.run_dir.absolute() / item.name)

    def graph(self, done: dict) -> dict[str, Job]:
        """All jobs known now, those whose results are wanted first in front."""
        jobs = {}
        for rows, seeds in self.waves(done):
            for seed in seeds:
                for method in rows:
                    for job in self._row(method, seed, done):
                        jobs.setdefault(job.name, job)
        return jobs

    def waves(self, done):
        """Groups of rows and their seeds: headlines of a group before its other rows.

        Of the mixtures, the first seed of each; the one that is best on tune gets the others.
        """
        seeds, first = self.options.seeds, self.options.seeds[:1]
        rows = [method for method in self.selected if self.recipe_or_none(method)]
        reference = [method for method in rows if method.group == 'reference']
        for group in GROUPS:
            mine = [method for method in rows if method.group == group]
            if group == 'reference':
                continue
            if group == 'mixtures':
                yield mine, first
                choice = mixture_choice(mine, self.options, done, self.failed)
                yield [method for method in mine if choice and method.name == choice.name], seeds
                continue
            yield [*reference, *(method for method in mine if method.headline)], seeds
            yield mine, seeds

    @cached_property
    def selected(self) -> list:
        return [method for method in methods.METHODS if method.name in self.options.methods]

    def recipe_or_none(self, method) -> bool:
        """Whether a row can be trained; the reason why not is noted."""
        try:
            self.recipe(method)
            for protocol in self._trained:
                self.transfer(protocol).backbone(self.recipe(method))
        except Unavailable as error:
            self.problems[method.name] = str(error)
            return False
        return True

    def recipe(self, method) -> Recipe | None:
        """How a row is pre-trained, None for random initialisation."""
        if not method.config:
            return None
        if method.name in self.problems:
            raise Unavailable(self.problems[method.name])
        if method.name not in self._recipes:
            self._recipes[method.name] = Recipe(method, self.options, self.places)
        return self._recipes[method.name]

    def transfer(self, protocol: str) -> Transfer:
        if protocol not in self._transfers:
            self._transfers[protocol] = Transfer(protocol, self.options)
        return self._transfers[protocol]

    @property
    def _trained(self):
        return [name for name in TRAINED if name in self.options.protocols]

    def _row(self, method, seed: int, done):
        """Jobs of one row with one seed, in an order that can run."""
        recipe = self.recipe(method)
        if recipe is not None:
            yield from (self.prerequisite_job(prerequisite(name)) for name in method.needs)
            yield self.pretrain(method, recipe, seed)
        if set(FROZEN) & set(self.options.protocols):
            yield self.frozen(method, recipe, seed)
        for protocol in self._trained:
            first = seed == self.options.seeds[0]
            rates = TRAINED[protocol].grid
            if not first:
                rate = chosen_rate(method, protocol, done, self.options.seeds[0])
                rates = () if rate is None else (rate,)
            for rate in rates:
                yield self.fine_tune(method, recipe, protocol, rate, seed, choose=first)

    def pretrain(self, method, recipe: Recipe, seed: int) -> Job:
        name = f'pretrain-{method.name}-s{seed}'
        work_dir = self.options.run_dir / name
        words = [*recipe.words, *recipe.seed_words(seed)]
        root = self.options.root
        command = train_command(root, recipe.path, work_dir, seed, '--resume')
        return Job(
            name=name,
            stage='Pre-training',
            command=(*command, '--cfg-options', *words),
            collect=partial(_pretrain_result, work_dir, recipe),
            needs=method.needs,
            work_dir=work_dir,
            resumable=True,
            batch_size=recipe.batch_size,
            label=f'{method.name} s{seed}',
            inputs=recipe.text + self.data_text,
        )

    def frozen(self, method, recipe, seed: int) -> Job:
        """Features once, then k-NN and linear probe; for scratch, of MAE's encoder untrained."""
        transfer, name = self.transfer('ft'), f'frozen-{method.name}-s{seed}'
        out = self.options.run_dir / name / 'result.json'
        tool = self.options.root / 'tools/analysis/frozen_probe.py'
        command = [sys.executable, tool, transfer.path]
        if recipe is None:
            command += ['random', '--backbone', find_config(self.options.root, 'mae')]
        else:
            command += [self.encoder(method, recipe, seed)]
            # An encoder.pth knows its backbone, the checkpoint of a classifier does not.
            command += ['--backbone', recipe.path] if is_classifier(recipe.cfg) else []
        command += ['--feature', method.feature, '--seed', seed, '--out', out]
        words = moved_paths(transfer.cfg, {DATA: str(self.options.data)})
        command += ['--cfg-options', *words] if words else []
        return Job(
            name=name,
            stage='Frozen features',
            command=tuple(map(str, command)),
            collect=partial(read_result, out),
            needs=(f'pretrain-{method.name}-s{seed}',) if recipe else (),
            work_dir=out.parent,
            evaluates=True,
            label=f'{method.name} s{seed}',
            inputs=transfer.text + self.data_text,
        )

    def fine_tune(self, method, recipe, protocol, rate, seed: int, choose: bool) -> Job:
        """One transfer training; only with ``choose`` is the tune split evaluated."""
        transfer = self.transfer(protocol)
        name = job_name(transfer.task, method.name, rate, seed)
        work_dir = self.options.run_dir / name
        words = [f'optim_wrapper.optimizer.lr={rate:g}', 'default_hooks.checkpoint.save_last=False']
        words += [] if choose else [FIRST_LOOP_ONLY]
        words += transfer.words + transfer.backbone(recipe)
        extra = ['--pretrained', self.encoder(method, recipe, seed)] if recipe else []
        root = self.options.root
        command = train_command(
            root, transfer.path, work_dir, seed, *extra, '--cfg-options', *words
        )
        return Job(
            name=name,
            stage=transfer.task.title,
            command=command,
            collect=partial(transfer_result, work_dir),
            needs=(f'pretrain-{method.name}-s{seed}',) if recipe else (),
            work_dir=work_dir,
            evaluates=True,
            batch_size=transfer.batch_size,
            label=f'{method.name} s{seed}',
            inputs=transfer.text + self.data_text,
        )

    def encoder(self, method, recipe: Recipe, seed: int) -> Path:
        return self.options.run_dir / f'pretrain-{method.name}-s{seed}' / recipe.encoder_name

    def prerequisite_job(self, item) -> Job:
        """Trained by its config, or made by its tool, with the first seed."""
        work_dir, root = Path(self.places[item.made]), self.options.root
        inputs = self.data_text
        if item.config:
            path = find_config(root, item.config)
            cfg = load_config(path)
            words = moved_paths(cfg, {DATA: str(self.options.data)})
            words += ['train_cfg.max_epochs=1'] if self.options.smoke else []
            command = train_command(root, path, work_dir, self.options.seeds[0], '--resume')
            command += ('--cfg-options', *words) if words else ()
            inputs += str(cfg.to_dict())
        else:
            words = [word.format(data=self.options.data, out=work_dir) for word in item.tool[1:]]
            command = (sys.executable, str(root / item.tool[0]), *words)
        return Job(
            name=item.name,
            stage='Prerequisites',
            command=command,
            collect=partial(_file_result, work_dir / item.result),
            work_dir=work_dir,
            resumable=bool(item.config),
            label=item.name,
            inputs=inputs,
        )

    @cached_property
    def data_text(self) -> str:
        """What stands for the data in the signature of a job."""
        found = manifest(self.options.data)
        return found['fingerprint'] if found else ''

    def tidy(self, done: dict) -> None:
        """Checkpoints of finished pre-trainings go; what transfer reads stays."""
        for method in self.selected:
            recipe = self._recipes.get(method.name)
            for seed in self.options.seeds if recipe else ():
                if f'pretrain-{method.name}-s{seed}' in done:
                    folder = self.encoder(method, recipe, seed).parent
                    for path in folder.glob('epoch_*.pth'):
                        if path.name != recipe.encoder_name:
                            path.unlink(missing_ok=True)


def _pretrain_result(work_dir, recipe: Recipe) -> dict:
    """Length and speed; a pre-training without an encoder has failed."""
    encoder = Path(work_dir) / recipe.encoder_name
    if not encoder.is_file():
        raise FileNotFoundError(f'{encoder} was not written')
    _, times = curve(read_scalars(work_dir), 'time')
    speed = recipe.batch_size / median(times) if times and median(times) > 0 else None
    length = recipe.length
    return dict(encoder=str(encoder), images=length.images, epochs=length.epochs, speed=speed)


def _file_result(path: Path) -> dict:
    if not path.is_file():
        raise FileNotFoundError(f'{path} was not written')
    return dict(file=str(path))
