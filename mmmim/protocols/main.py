"""Command line of tools/transfer.py."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from datetime import datetime
from pathlib import Path

from mmmim.jobs.command import run_command
from mmmim.jobs.job import Markers, trusted_markers, write_atomic
from mmmim.jobs.lock import FolderLock
from mmmim.jobs.progress import Display, clock
from mmmim.jobs.scenes import make_scenes
from mmmim.jobs.scheduler import Scheduler
from mmmim.living_table.configs import DATA
from mmmim.visualization.report.record import commit, hardware

from .options import (
    Options,
    by_task,
    check,
    default_work_dir,
    split_rates,
    split_tasks,
    split_words,
)
from .outcome import outcomes
from .plan import Plan
from .recipes import PROTOCOLS
from .slurm import Queue
from .table import CSV, JSON, MARKDOWN, csv_text, json_text, markdown

RENDER_SECONDS = 30.0  # the table is written at most that often while jobs run


def parse_args(root: Path, argv=None) -> Options:
    parser = argparse.ArgumentParser(
        description='Measure what a checkpoint transfers: every protocol, one table. Without '
        '--configs on the embedded data. The same command continues what was interrupted.'
    )
    add = parser.add_argument
    add('checkpoint', type=Path, help='encoder.pth, or any file that pretrained= takes')
    add('--tasks', nargs='+', default=[','.join(PROTOCOLS)], help=f'of {",".join(PROTOCOLS)}')
    add('--configs', nargs='+', default=[], metavar='TASK=CONFIG', help='in the place of a recipe')
    add('--cfg-options', nargs='+', default=[], metavar='[TASK:]KEY=VALUE')
    add('--lr', nargs='+', default=[], metavar='TASK=LR[,LR]', help='rates to choose from')
    add('--grid', action='store_true', help='choose rates of the embedded recipes on tune')
    add('--seeds', type=int, default=1, metavar='N', help='default: %(default)s')
    add('--baseline', action='store_true', help='run everything from random weights too')
    add('--feature', default='auto', choices=('auto', 'mean', 'cls'), help='of frozen features')
    add('--data', type=Path, default=Path(DATA), help='folder of the scenes (default: %(default)s)')
    add('--work-dir', type=Path, help='default: work_dirs/transfer/RUN-FILE')
    add('--threads', type=int, help='jobs side by side (default: 2; 1 with --gpus)')
    add('--gpus', type=int, default=0, metavar='N', help='processes of a training, by torchrun')
    add('--slurm', metavar='OPTIONS', help="submit jobs: --slurm='--partition=P --gpus-per-node=8'")
    add('--slurm-small', metavar='OPTIONS', help='of sbatch for jobs on one core')
    add('--report', action='store_true', help='write the table from what is done')
    add('--smoke', action='store_true', help='a few steps of everything; numbers mean nothing')
    add('--follow-up', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    tasks = split_tasks(args.tasks)
    return Options(
        root=root,
        checkpoint=args.checkpoint,
        tasks=tasks,
        configs=by_task('--configs', args.configs, tasks),
        words=split_words(args.cfg_options),
        rates=split_rates(args.lr, tasks),
        n_seeds=args.seeds,
        baseline=args.baseline,
        grid=args.grid,
        feature=args.feature,
        data=args.data,
        work_dir=args.work_dir or default_work_dir(args.checkpoint),
        smoke=args.smoke,
        report=args.report,
        slots=(1 if args.gpus else 2) if args.threads is None else args.threads,
        gpus=args.gpus,
        slurm=None if args.slurm is None else tuple(shlex.split(args.slurm)),
        slurm_small=None if args.slurm_small is None else tuple(shlex.split(args.slurm_small)),
        follow_up=args.follow_up,
    )


def main(root: Path, argv=None) -> int:
    """Measure a checkpoint; returns the exit status, 1 if a job failed."""
    words = list(sys.argv[1:] if argv is None else argv)
    words = [word for word in words if word not in ('--report', '--follow-up')]
    display = Display()
    command = shlex.join(['python', 'tools/transfer.py', *words])

    def body() -> int:
        options = parse_args(root, argv)
        check(options)
        with FolderLock(options.work_dir, 'transfer of a checkpoint'):
            return Transfer(options, display, command, words).run()

    return run_command(body, display, command)


class Transfer:
    """One call of the command."""

    def __init__(self, options: Options, display: Display, command: str, words):
        self.options, self.display, self.command, self.words = options, display, command, words
        self.markers = Markers(options.run_dir)
        self.plan, self.done, self.written = None, {}, None

    def run(self) -> int:
        started = time.monotonic()
        options = self.options
        if options.on_scenes and not options.report:
            make_scenes(options.root, options.data, self.markers, options.slots, self.display)
        self.plan = Plan(self.options)
        if self.options.report:
            self.done, stale = trusted_markers(options.run_dir, self.plan.graph)
            if stale:
                self.display.say(f'Made before something changed: {", ".join(stale)}')
            failed = self._failed()
        elif self.options.slurm is not None:
            failed = self._queue()
        else:
            failed = self._here()
        self.write(failed)
        for name in (MARKDOWN, CSV):
            self.display.say(f'Table: {self.options.run_dir / name}')
        self.display.say(f'Total: {clock(time.monotonic() - started)}')
        if failed:
            print(f'{len(failed)} jobs failed: the table names them', file=sys.stderr)
        return 1 if failed else 0

    def _here(self) -> dict:
        scheduler = Scheduler(self.markers, self.options.slots, self.display, keep_going=True)
        try:
            scheduler.run(self.plan.graph, on_change=self._changed)
        except KeyboardInterrupt:
            self.write(scheduler.failures)
            raise
        return scheduler.failures

    def _queue(self) -> dict:
        options = self.options
        queue = Queue(
            self.markers, options.root, options.slurm, options.slurm_small, self.display.say
        )
        again = (sys.executable, options.root / 'tools/transfer.py', *self.words, '--follow-up')
        self.done = queue.advance(self.plan.graph, again, options.follow_up)
        return queue.failures

    def _failed(self) -> dict:
        jobs = self.plan.graph(self.done)
        return {
            name: ''
            for name in jobs
            if name not in self.done and self.markers.has_failed(jobs[name])
        }

    def _changed(self, done: dict) -> None:
        self.done = done
        now = time.monotonic()
        if self.written is None or now - self.written > RENDER_SECONDS:
            self.write(())
            self.written = now

    def write(self, failed) -> None:
        """Markdown, CSV and JSON from what is done."""
        options = self.options
        found = outcomes(self.plan, self.done, failed)
        about = dict(
            checkpoint=str(options.checkpoint),
            command=self.command,
            date=datetime.now().astimezone().strftime('%d %B %Y, %H:%M %Z'),
            commit=commit(options.root),
            hardware=hardware(),
        )
        texts = {
            MARKDOWN: markdown(
                found, options.checkpoint, self.command, options.baseline, options.n_seeds
            ),
            CSV: csv_text(found),
            JSON: json_text(found, **about),
        }
        for name, text in texts.items():
            write_atomic(options.run_dir / name, text)
