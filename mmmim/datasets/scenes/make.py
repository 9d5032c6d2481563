"""Make the whole data set in a folder: in parallel, resumable, once."""

import json
import os
import shutil
import time
from pathlib import Path

from .annotations import class_list, coco, scene_table
from .settings import JOURNAL, MANIFEST, Settings, write_text
from .workers import all_runs, do_runs, journal_file
from .writer import make_folders

PARTS = ('unlabeled', 'train', 'tune', 'val', 'cls', 'annotations', JOURNAL)


def make_scenes(root, settings=None, *, processes=None, overwrite=False, report=None):
    """Make the data set unless it is there.

    The files depend on ``settings`` alone, not on the number of processes. A finished data set of
    equal settings is left as it is; an unfinished one is completed; one of other settings, or a
    folder with other things in it, is an error.

    Args:
        root (str | Path): Folder.
        settings (Settings): What to make; None takes the defaults.
        processes (int): Worker processes; None takes all usable cores.
        overwrite (bool): Replace scenes of other settings. Never touches other files.
        report (callable): Called with (scenes done, scenes in all, seconds) now and then.

    Returns:
        bool: Whether anything was made.

    Raises:
        ValueError: If ``root`` holds something else.
        OSError: If the disk has too little room or ``root`` cannot be written.
        RuntimeError: If a worker process fails.
    """
    root, settings = Path(root), settings or Settings()
    if _is_finished(root, settings):
        return False
    _check_folder(root, settings, overwrite)
    _check_space(root, settings)
    make_folders(root, settings.counts)
    _draw_all(root, settings, processes or usable_cores(), report)
    for split in settings.labelled_splits():
        _write_annotations(root, split, settings)
    write_text(root / MANIFEST, json.dumps(settings.manifest(), indent=1) + '\n')
    shutil.rmtree(root / JOURNAL)
    return True


def usable_cores():
    """Cores this process may use (a container may allow fewer than there are)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def _is_finished(root, settings):
    """A manifest of these settings, and as many files as it promises."""
    if _fingerprint_in(root / MANIFEST) != settings.fingerprint():
        return False
    found = dict(unlabeled=_count(root, 'unlabeled/*/*.jpg'))
    for split in settings.labelled_splits():
        found[split] = min(
            _count(root, pattern)
            for pattern in (
                f'{split}/images/*.jpg',
                f'{split}/labels/*.png',
                f'cls/{split}/*/*.jpg',
            )
        )
    return found == settings.counts and all(
        (root / 'annotations' / name.format(split)).is_file()
        for split in settings.labelled_splits()
        for name in _ANNOTATIONS
    )


def _count(root, pattern):
    return sum(1 for _ in root.glob(pattern))


def _fingerprint_in(path):
    """The fingerprint a manifest holds; None where there is none that can be read."""
    try:
        return json.loads(path.read_text()).get('fingerprint')
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def _check_folder(root, settings, overwrite):
    """Leave ``root`` either fresh or holding an unfinished data set of these settings."""
    journal = root / JOURNAL / MANIFEST
    if _fingerprint_in(journal) == settings.fingerprint():
        return
    if root.exists() and not root.is_dir():
        raise ValueError(f'{root} is a file; name a folder')
    known = (root / MANIFEST).is_file() or (root / JOURNAL).is_dir()
    if not known and root.is_dir() and any(root.iterdir()):
        raise ValueError(f'{root} holds other files; name an empty or a new folder')
    other = _fingerprint_in(root / MANIFEST) not in (None, settings.fingerprint())
    if other and not overwrite:
        raise ValueError(
            f'{root} holds scenes of other settings (see its {MANIFEST}); '
            'overwrite them or name another folder'
        )
    for part in PARTS:
        shutil.rmtree(root / part, ignore_errors=True)
    (root / MANIFEST).unlink(missing_ok=True)
    journal.parent.mkdir(parents=True)
    write_text(journal, json.dumps(settings.manifest()))


def _check_space(root, settings):
    needed, free = settings.bytes_needed(), shutil.disk_usage(root).free
    if free < needed:
        raise OSError(
            f'the scenes need up to {needed / 2**20:.0f} MiB and the disk of {root} has '
            f'{free / 2**20:.0f} MiB free; make room or name a folder on another disk'
        )


def _draw_all(root, settings, processes, report):
    """Draw every run that the journal lacks."""
    missing = [run for run in all_runs(settings.counts) if not journal_file(root, run).is_file()]
    total = sum(settings.counts.values())
    before = total - sum(stop - start for _, start, stop in missing)
    began, shown = time.perf_counter(), -1
    for done in do_runs(root, settings, missing, processes):
        if report and done != shown:
            share = sum(stop - start for _, start, stop in missing) * done // len(missing)
            report(before + share, total, time.perf_counter() - began)
        shown = done


_ANNOTATIONS = {
    'instances_{}.json': lambda records, size: json.dumps(coco(records, size)),
    'cls_{}.txt': lambda records, size: class_list(records),
    'cls_{}_away.txt': lambda records, size: class_list(records, away_only=True),
    'scenes_{}.csv': lambda records, size: scene_table(records),
}


def _write_annotations(root, split, settings):
    records = []
    for run in all_runs(settings.counts):
        if run[0] == split:
            records += json.loads(journal_file(root, run).read_text())
    for name, text in _ANNOTATIONS.items():
        write_text(root / 'annotations' / name.format(split), text(records, settings.size))
