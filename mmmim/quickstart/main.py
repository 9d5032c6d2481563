"""Command line of the main job."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from datetime import datetime
from pathlib import Path

from mmmim.jobs.command import run_command
from mmmim.jobs.job import Markers, write_atomic
from mmmim.jobs.lock import FolderLock
from mmmim.jobs.progress import Display, clock
from mmmim.jobs.scheduler import Scheduler

from .drawings import drawing_jobs
from .options import Options, check
from .plan import Plan
from .recipes import TASKS
from .report import Story, build_report
from .results import details_json, outcome, results_json, table_markdown, table_text


def parse_args(root: Path, argv=None) -> Options:
    parser = argparse.ArgumentParser(
        description='Pre-train a small ViT with Robust MAE, transfer it and a randomly initialised '
        'twin to classification, Mask R-CNN and UperNet, and print what pre-training buys. '
        'An interrupted run continues when the same command is given again.'
    )
    default = Options(root)
    add = parser.add_argument
    add('--data', metavar='DIR', help='pre-train on the images below DIR, without labels')
    add('--full', action='store_true', help='several seeds, learning rates chosen on tune')
    add('--seeds', type=int, metavar='N', help='seeds of --full, at least 3 (default: 3)')
    add('--smoke', action='store_true', help='a few steps of everything; numbers mean nothing')
    add('--report', action='store_true', help='only write table and report again')
    add('--work-dir', type=Path, help=f'default: {default.work_dir}')
    add('--threads', type=int, default=default.slots, help='default: %(default)s')
    args = parser.parse_args(argv)
    name = default.work_dir.name + ('-smoke' if args.smoke else '')
    return Options(
        root=root,
        work_dir=args.work_dir or default.work_dir.with_name(name),
        smoke=args.smoke,
        report=args.report,
        data=args.data,
        full=args.full,
        n_seeds=args.seeds or (3 if args.full else 1),
        slots=args.threads,
    )


def main(root: Path, argv=None) -> int:
    """Run the main job; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    command = shlex.join(['bash', 'tools/quickstart.sh', *words])
    options = parse_args(root, argv)
    display = Display()

    def body() -> int:
        n_images = check(options)
        with FolderLock(options.work_dir, 'quickstart'):
            run(options, n_images, display, command)
        return 0

    resume = f'  To resume:   {command}   (finished jobs are kept)'
    return run_command(body, display, command, after_failure=resume)


def run(options: Options, n_images: int, display: Display, command: str) -> None:
    """All jobs, then table, results.json and report.html."""
    started = time.monotonic()
    plan = Plan(options, n_images)
    jobs = plan.training()
    markers = Markers(options.run_dir, trust=options.report)
    scheduler = Scheduler(markers, options.slots, display)
    display.say(f'{len(jobs)} jobs on {options.slots} threads; everything in {options.run_dir}')
    markers = scheduler.run(jobs)
    if options.n_seeds > 1:
        jobs |= plan.confirmation(markers)
        markers = scheduler.run(jobs)
    outcomes = [outcome(task, markers, options) for task in TASKS]
    scheduler.run(drawing_jobs(plan, outcomes, markers))
    date = datetime.now().astimezone().strftime('%d %B %Y, %H:%M %Z')
    seconds = time.monotonic() - started
    story = Story(options, outcomes, markers, jobs, seconds, command, date, n_images)
    _write(story)
    display.say()
    display.say(table_text(outcomes, options.n_seeds))
    display.say()
    display.say(f'Results: {options.work_dir / "results.json"}')
    display.say(f'Report:  {options.work_dir / "report.html"}')
    display.say(f'Total:   {clock(seconds)}')


def _write(story: Story) -> None:
    """Beside the jobs, and one level up as the latest."""
    details = details_json(
        story.outcomes,
        command=story.command,
        date=story.date,
        seconds=round(story.seconds, 1),
        jobs={name: marker['seconds'] for name, marker in story.markers.items()},
    )
    files = {
        'results.json': results_json(story.outcomes),
        'details.json': details,
        'table.md': table_markdown(story.outcomes, story.options.n_seeds),
        'report.html': build_report(story),
    }
    for folder in (story.options.run_dir, story.options.work_dir):
        for name, text in files.items():
            write_atomic(folder / name, text + '\n')
