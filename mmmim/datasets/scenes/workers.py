"""Runs of scenes in this process or shared out to fresh Python processes.

Fresh processes, because a forked one hangs in OpenCV when its parent has used OpenCV's threads, and
a spawned one imports the caller's script again. They speak through the journal folder alone.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2

from .settings import JOURNAL, MANIFEST, RUN, Settings, write_text
from .writer import write_run

POLL = 0.1  # seconds between two looks at the journal


def all_runs(counts):
    """Every (split, start, stop) of a data set, in order."""
    return [
        (split, start, min(start + RUN, count))
        for split, count in counts.items()
        for start in range(0, count, RUN)
    ]


def journal_file(root, run):
    split, start, stop = run
    return root / JOURNAL / f'{split}-{start:07d}-{stop:07d}.json'


def do_run(root, settings, run):
    """Write one run and enter its records in the journal."""
    records = write_run(root, settings, *run)
    # Last, and in one piece: a run is in the journal only when all its files are written.
    write_text(journal_file(root, run), json.dumps(records))


def do_runs(root, settings, runs, processes):
    """Do all runs; yields the number of runs done so far, now and then.

    Raises:
        RuntimeError: If a worker fails; with the last line it wrote.
    """
    processes = min(processes, len(runs))
    if processes <= 1:
        for number, run in enumerate(runs):
            do_run(root, settings, run)
            yield number + 1
        return
    shares = [runs[k::processes] for k in range(processes)]
    workers = [_start(root, share) for share in shares]
    try:
        while any(worker.poll() is None for worker in workers):
            time.sleep(POLL)
            _raise_failure(workers)
            yield sum(journal_file(root, run).is_file() for run in runs)
        _raise_failure(workers)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    yield len(runs)


# Imports this folder as a package of its own: `import mmmim` would load torch into every worker,
# which takes longer than drawing a thousand scenes. The folder above stays off the search path.
_WORKER = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location(
    'scenes', sys.argv[1] + '/__init__.py', submodule_search_locations=[sys.argv[1]])
sys.modules['scenes'] = package = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
package.workers.work(*sys.argv[2:])
"""


def _start(root, share):
    """A worker process for a share of the runs."""
    command = [
        sys.executable,
        '-c',
        _WORKER,
        str(Path(__file__).parent),
        str(root.resolve()),
        json.dumps(share),
    ]
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=dict(os.environ, OMP_NUM_THREADS='1')
    )


def _raise_failure(workers):
    for worker in workers:
        if worker.poll():
            lines = worker.stderr.read().strip().splitlines() or [f'exit code {worker.returncode}']
            raise RuntimeError(f'a worker that draws scenes failed: {lines[-1]}')


def work(root, share):
    """The body of a worker: settings from the journal's manifest, runs as json text."""
    cv2.setNumThreads(1)
    root = Path(root)
    settings = Settings.from_dict(json.loads((root / JOURNAL / MANIFEST).read_text())['settings'])
    for run in json.loads(share):
        do_run(root, settings, tuple(run))
