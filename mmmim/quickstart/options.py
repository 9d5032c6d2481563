"""What the user asked for, checked before the first step."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from .recipes import TASKS

GIB = 1024**3
DISK_QUICK, DISK_PER_SEED = 0.5, 0.7  # GiB that a run writes, measured, with some room


@dataclass(frozen=True)
class Options:
    """Settings of one run.

    Attributes:
        root: Folder that holds configs/ and tools/.
        work_dir: Folder for everything that is written beside the scenes.
        scenes: Folder of the embedded data set, made if it is not there.
        data: The user's own images for pre-training, or None for the scenes.
        smoke: A few steps of everything, to see that it runs; the numbers mean nothing.
        report: Only write table and report again, from the jobs that are done.
        full: Several seeds and a choice of learning rates on the tune split.
        n_seeds: Number of seeds, 1 in a quick run.
        slots: Threads to use.
    """

    root: Path
    work_dir: Path = Path('work_dirs/quickstart')
    scenes: Path = Path('data/scenes')
    data: str | None = None
    smoke: bool = False
    report: bool = False
    full: bool = False
    n_seeds: int = 1
    slots: int = 2

    @property
    def seeds(self) -> tuple:
        return tuple(range(self.n_seeds))

    @property
    def run_dir(self) -> Path:
        """Jobs of quick and full runs live apart, so neither undoes the other."""
        return self.work_dir / ('smoke' if self.smoke else 'full' if self.full else 'quick')

    def lrs(self, task, side: str) -> tuple:
        """Learning rates to train a side of a task with."""
        return task.grid if self.full else (task.lrs[side],)


def check(options: Options) -> int:
    """Refuse what cannot work, before anything is made.

    Returns:
        Number of the user's own images, 0 without ``data``.

    Raises:
        ValueError: If a setting, the folder of images, or the disk does not allow the run.
        RuntimeError: If mmcv has no compiled ops.
    """
    if options.full and options.n_seeds < 3:
        raise ValueError(f'--full needs at least 3 seeds for a standard error: {options.n_seeds}.')
    if not options.full and options.n_seeds != 1:
        raise ValueError('--seeds belongs to --full; a quick run has one seed.')
    if options.full and options.smoke:
        raise ValueError('--smoke and --full exclude each other.')
    if options.slots < 1:
        raise ValueError(f'--threads must be at least 1, got {options.slots}.')
    missing = [task.config for task in TASKS if not (options.root / task.config).is_file()]
    if missing:
        raise ValueError(f'{options.root} is not a complete checkout: it has no {missing[0]}.')
    images = count_images(options.data) if options.data is not None else 0
    check_disk(options)
    check_ops()
    return images


def count_images(folder: str) -> int:
    """Images below the user's folder; says what is wrong with a folder that holds none."""
    from mmmim.datasets.file_list import list_files

    if not os.path.isdir(os.path.expanduser(folder)):
        what = 'is not a folder' if os.path.exists(folder) else 'does not exist'
        raise ValueError(f'--data {folder} {what}: give the folder that holds your images.')
    try:
        return len(list_files(folder))
    except ValueError as error:
        raise ValueError(str(error).replace('data_root', '--data', 1)) from error


def check_disk(options: Options) -> None:
    needed = DISK_QUICK + (DISK_PER_SEED * options.n_seeds if options.full else 0)
    place = options.work_dir.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / GIB
    if free < needed:
        raise ValueError(
            f'The disk of {place} has {free:.1f} GiB free, this run writes up to {needed:.1f} GiB: '
            'make room, or choose another place with --work-dir.'
        )


def check_ops() -> None:
    if util.find_spec('mmcv') is None or util.find_spec('mmcv._ext') is None:
        raise RuntimeError(
            'mmcv has no compiled ops, which Mask R-CNN needs: run `bash tools/setup_env.sh`, '
            'which builds them.'
        )
