"""The embedded data that jobs train on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .job import Job, Markers
from .progress import Display
from .scheduler import Scheduler


def manifest(data: Path) -> dict | None:
    """What the scenes say about themselves, None before they are made."""
    try:
        return json.loads((Path(data) / 'manifest.json').read_text(encoding='utf-8'))
    except FileNotFoundError:
        return None


def split_sizes(data: Path) -> dict | None:
    """Images of each split, None before the scenes are made."""
    found = manifest(data)
    return found and found['settings']['counts']


def make_scenes(root: Path, data: Path, markers: Markers, slots: int, display: Display) -> None:
    """Make the scenes if they are not there, outside any graph of jobs.

    What is in the folder then enters every signature.

    Args:
        root: Of the checkout, with its tools.
        data: Folder of the scenes.
        markers: Of the run.
        slots: Threads to use.
        display: Shows the progress.

    Raises:
        JobFailed: If they cannot be made.
    """
    if split_sizes(data) is not None:
        return
    tool = root / 'tools/dataset_converters/make_scenes.py'
    command = (sys.executable, str(tool), '--out', str(data))
    job = Job('scenes', 'Data', command, threads=slots, always=True)
    Scheduler(markers, slots, display).run({job.name: job})
