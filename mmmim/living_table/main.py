"""Command line of the living table."""

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
from mmmim.jobs.scenes import make_scenes, split_sizes
from mmmim.jobs.scheduler import Scheduler
from mmmim.visualization.report.record import commit, hardware

from .configs import DATA
from .measures import build_rows
from .methods import PREREQUISITES
from .options import (
    DEFAULT_BATCH,
    DEFAULT_IMAGES,
    DEFAULT_PROTOCOLS,
    PROTOCOLS,
    Options,
    check,
    choose_methods,
)
from .page import JSON, PAGE, PLOT, Story, build_json, build_page
from .plan import Plan
from .plot import draw

RENDER_SECONDS = 60.0  # the page is written at most that often while jobs run


def parse_args(root: Path, argv=None) -> Options:
    parser = argparse.ArgumentParser(
        description='Pre-train every method for the same number of images on the embedded data, '
        'measure what transfers and what it costs, and write docs/results.md. An interrupted run '
        'continues when the same command is given again.'
    )
    add = parser.add_argument
    add('--methods', nargs='+', default=['all'], help='rows or groups (default: all)')
    add('--tasks', default=','.join(DEFAULT_PROTOCOLS), help=f'of {",".join(PROTOCOLS)}')
    add('--seeds', type=int, default=3, metavar='N', help='default: %(default)s')
    add('--images', type=int, default=DEFAULT_IMAGES, metavar='M', help='default: %(default)s')
    add('--batch', type=int, default=DEFAULT_BATCH, metavar='B', help='default: %(default)s')
    add('--data', type=Path, default=Path(DATA), help='folder of the scenes (default: %(default)s)')
    add('--work-dir', type=Path, default=Path('work_dirs/living_table'))
    add('--out', type=Path, help='folder of the page (default: docs, or WORK_DIR if it is given)')
    add('--threads', type=int, default=2, help='jobs side by side (default: %(default)s)')
    add('--render-only', action='store_true', help='write the page from the jobs that are done')
    add('--smoke', action='store_true', help='cut transfer to a few steps; numbers mean nothing')
    args = parser.parse_args(argv)
    usual = args.work_dir == parser.get_default('work_dir') and not args.smoke
    return Options(
        root=root,
        methods=choose_methods([word for text in args.methods for word in text.split(',')]),
        protocols=tuple(dict.fromkeys(args.tasks.split(','))),
        n_seeds=args.seeds,
        images=args.images,
        batch_size=args.batch,
        data=args.data,
        work_dir=args.work_dir,
        out=args.out or (root / 'docs' if usual else args.work_dir),
        render_only=args.render_only,
        smoke=args.smoke,
        slots=args.threads,
    )


def main(root: Path, argv=None) -> int:
    """Run the table; returns the exit status, 1 if a job failed."""
    words = sys.argv[1:] if argv is None else argv
    # What continues the run, also on a page that was only rendered.
    words = [word for word in words if word != '--render-only']
    command = shlex.join(['python', 'tools/living_table.py', *words])
    display = Display()

    def body() -> int:
        options = parse_args(root, argv)
        check(options)
        with FolderLock(options.work_dir, 'living table'):
            return Table(options, display, command).run()

    return run_command(body, display, command)


class Table:
    """One call of the command."""

    def __init__(self, options: Options, display: Display, command: str):
        self.options, self.display, self.command = options, display, command
        self.markers = Markers(options.run_dir)
        self.scheduler = Scheduler(self.markers, options.slots, display, keep_going=True)
        self.plan = None
        self.rendered, self.done = None, {}

    def run(self) -> int:
        started = time.monotonic()
        if self.options.render_only:
            self._make_plan(())
            done, stale = trusted_markers(self.options.run_dir, self.plan.graph)
            self.render(done, len(stale))
            return 0
        make_scenes(
            self.options.root, self.options.data, self.markers, self.options.slots, self.display
        )
        self._make_plan(self.scheduler.failures)
        try:
            self.scheduler.run(self.plan.graph, on_change=self._changed)
        finally:  # also when it is interrupted
            self.render(self.done)
        self.display.say(f'Page:  {self.options.out / PAGE}')
        self.display.say(f'Total: {clock(time.monotonic() - started)}')
        if self.scheduler.failures:
            print(f'{len(self.scheduler.failures)} jobs failed: see the page', file=sys.stderr)
        return 1 if self.scheduler.failures else 0

    def _make_plan(self, failed) -> None:
        self.plan = Plan(self.options, failed)

    def _changed(self, done: dict) -> None:
        self.done = done
        self.plan.tidy(done)
        now = time.monotonic()
        if self.rendered is None or now - self.rendered > RENDER_SECONDS:
            self.render(done)
            self.rendered = now

    def render(self, done: dict, stale: int = 0) -> None:
        """Page, plot and JSON from what is done."""
        options = self.options
        jobs = self.plan.graph(done)
        failed = {name for name, job in jobs.items() if self.markers.has_failed(job)}
        rows = build_rows(options, done, self.plan.problems, failed - set(done))
        made = {item.name: done.get(item.name, {}).get('cpu_seconds') for item in PREREQUISITES}
        story = Story(
            options,
            rows,
            split_sizes(options.data),
            self.command,
            datetime.now().astimezone().strftime('%d %B %Y, %H:%M %Z'),
            commit(options.root),
            hardware(),
            made,
            stale,
        )
        plotted = draw(rows, options.out / PLOT)
        write_atomic(options.out / JSON, build_json(story))
        write_atomic(options.out / PAGE, build_page(story, plotted))
