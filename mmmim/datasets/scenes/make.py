"""Make the whole data set in a folder: in parallel, resumable, once."""
import hashlib
import json
import multiprocessing
import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2

from .annotations import BACKGROUND, class_list, coco, scene_table
from .composition import SPLITS, Style
from .shapes import SHAPES
from .textures import TEXTURES
from .writer import make_folders, write_run

VERSION = 1              # raise when the same settings give other files
RUN = 250                # scenes per task, the unit that is redone after an interruption
MANIFEST = 'manifest.json'
JOURNAL = '.unfinished'
PARTS = ('unlabeled', 'train', 'tune', 'val', 'cls', 'annotations', JOURNAL)


@dataclass(frozen=True)
class Settings:
    """Everything the files depend on.

    Args:
        seed (int): Seed, not negative.
        size (int): Side of the images in pixels, at least 32.
        counts (dict): Scenes per split of ``SPLITS``.
        style (Style): What the scenes look like.
        quality (int): JPEG quality, 1 to 100.
    """
    seed: int = 0
    size: int = 64
    counts: dict = field(
        default_factory=lambda: dict(unlabeled=10000, train=300, tune=500, val=1000))
    style: Style = field(default_factory=Style)
    quality: int = 95

    def __post_init__(self):
        if self.seed < 0:
            raise ValueError(f'seed must not be negative, got {self.seed}')
        if self.size < 32:
            raise ValueError(f'size must be at least 32 pixels, got {self.size}')
        if not 1 <= self.quality <= 100:
            raise ValueError(f'quality must lie in 1 ... 100, got {self.quality}')
        if set(self.counts) != set(SPLITS) or min(self.counts.values()) < 1:
            raise ValueError(f'counts needs a positive number for each of {", ".join(SPLITS)}, '
                             f'got {self.counts}')
        if not 0 <= self.style.home_share <= 1:
            raise ValueError(f'home_share must lie in 0 ... 1, got {self.style.home_share}')

    def fingerprint(self):
        """Hex digest that changes with any setting and with ``VERSION``."""
        text = json.dumps([VERSION, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def bytes_needed(self):
        """Disk space, from above: each file in blocks of 4 KiB, at most one byte per pixel."""
        blocks = -(-self.size ** 2 // 4096) * 4096
        labelled = sum(n for split, n in self.counts.items() if split != 'unlabeled')
        # A labelled scene is three files where there are no hard links, and 4 kB of annotations.
        return self.counts['unlabeled'] * blocks + labelled * (3 * blocks + 4096)


def make_scenes(root, settings=None, *, processes=None, overwrite=False, report=None):
    """Make the data set unless it is there.

    The files depend on ``settings`` alone, not on the number of processes. A finished data set of
    equal settings is left as it is; an unfinished one is completed; one of other settings, or a
    folder with other things in it, is an error.

    Args:
        root (str | Path): Folder.
        settings (Settings): What to make; None takes the defaults.
        processes (int): Worker processes; None takes all usable cores.
        overwrite (bool): Replace a scenes data set of other settings. Never touches other folders.
        report (callable): Called with (scenes done, scenes in all, seconds) now and then.

    Returns:
        bool: Whether anything was made.

    Raises:
        ValueError: If a setting is out of range or ``root`` holds something else.
        OSError: If the disk has too little room or ``root`` cannot be written.
    """
    root, settings = Path(root), settings or Settings()
    if _is_finished(root, settings):
        return False
    _check_folder(root, settings, overwrite)
    _check_space(root, settings)
    make_folders(root, settings.counts)
    records = _write_all(root, settings, processes or usable_cores(), report)
    for split, found in records.items():
        _write_annotations(root, split, found, settings.size)
    _write_text(root / MANIFEST, json.dumps(_manifest(settings), indent=1) + '\n')
    shutil.rmtree(root / JOURNAL)
    return True


def usable_cores():
    """Cores this process may use (a container may allow fewer than there are)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()


def _manifest(settings):
    return dict(
        fingerprint=settings.fingerprint(), version=VERSION, settings=asdict(settings),
        classes=list(SHAPES), label_map=[BACKGROUND, *SHAPES], textures=list(TEXTURES),
        opencv=cv2.__version__)


def _is_finished(root, settings):
    """A manifest of these settings, and as many files as it promises."""
    if _fingerprint_in(root / MANIFEST) != settings.fingerprint():
        return False
    found = dict(unlabeled=sum(1 for _ in root.glob('unlabeled/*/*.jpg')))
    for split in settings.counts:
        if split != 'unlabeled':
            found[split] = min(sum(1 for _ in root.glob(pattern)) for pattern in (
                f'{split}/images/*.jpg', f'{split}/labels/*.png', f'cls/{split}/*/*.jpg'))
    return found == settings.counts and all(
        (root / 'annotations' / f'instances_{split}.json').is_file()
        for split in settings.counts if split != 'unlabeled')


def _fingerprint_in(path):
    """The fingerprint a manifest or journal holds; None where there is none that can be read."""
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
    same = _fingerprint_in(root / MANIFEST) in (None, settings.fingerprint())
    if known and not same and not overwrite:
        raise ValueError(f'{root} holds scenes of other settings (see its {MANIFEST}); '
                         'overwrite them or name another folder')
    for part in PARTS:
        shutil.rmtree(root / part, ignore_errors=True)
    (root / MANIFEST).unlink(missing_ok=True)
    journal.parent.mkdir(parents=True)
    _write_text(journal, json.dumps(_manifest(settings)))


def _check_space(root, settings):
    needed, free = settings.bytes_needed(), shutil.disk_usage(root).free
    if free < needed:
        raise OSError(
            f'the scenes need up to {needed / 2 ** 20:.0f} MiB and the disk of {root} has '
            f'{free / 2 ** 20:.0f} MiB free; make room or name a folder on another disk')


def _write_all(root, settings, processes, report):
    """Every scene that the journal lacks; returns the records of the labelled splits."""
    runs = [(split, start, min(start + RUN, count))
            for split, count in settings.counts.items() for start in range(0, count, RUN)]
    missing = [run for run in runs if not _journal_file(root, run).is_file()]
    total = sum(settings.counts.values())
    done = total - sum(stop - start for _, start, stop in missing)
    began = time.perf_counter()
    for run in _in_parallel(root, settings, missing, processes):
        done += run[2] - run[1]
        if report:
            report(done, total, time.perf_counter() - began)
    records = {split: [] for split in settings.counts if split != 'unlabeled'}
    for run in runs:
        if run[0] in records:
            records[run[0]] += json.loads(_journal_file(root, run).read_text())
    return records


def _journal_file(root, run):
    split, start, _ = run
    return root / JOURNAL / f'{split}-{start:07d}.json'


def _in_parallel(root, settings, runs, processes):
    """Do the runs in any order and yield each when it is done."""
    processes = min(processes, len(runs))
    if processes <= 1:
        for run in runs:
            yield _do_run(root, settings, run)
        return
    # A forked worker starts at once; where there is no fork, the import of this package is paid.
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context('fork' if 'fork' in methods else 'spawn')
    with ProcessPoolExecutor(processes, context, initializer=cv2.setNumThreads,
                             initargs=(1,)) as pool:
        jobs = [pool.submit(_do_run, root, settings, run) for run in runs]
        try:
            for job in as_completed(jobs):
                yield job.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _do_run(root, settings, run):
    records = write_run(root, settings, *run)
    # Last, and in one piece: a run is in the journal only when all its files are written.
    _write_text(_journal_file(root, run), json.dumps(records))
    return run


def _write_annotations(root, split, records, size):
    folder = root / 'annotations'
    _write_text(folder / f'instances_{split}.json', json.dumps(coco(records, size)))
    _write_text(folder / f'cls_{split}.txt', class_list(records))
    _write_text(folder / f'cls_{split}_away.txt', class_list(records, away_only=True))
    _write_text(folder / f'scenes_{split}.csv', scene_table(records))


def _write_text(path, text):
    """Whole or not at all."""
    part = path.with_name(path.name + '.part')
    part.write_text(text)
    os.replace(part, path)
