"""What the user asked for, checked before the first step."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from mmmim.quickstart.recipes import TASKS

from . import methods
from .configs import DATA
from .methods import GROUPS

GIB = 1024**3
DISK = 1.0  # GiB; finished trainings keep only what the table needs
FROZEN = {'knn': 'k-NN', 'lin': 'Linear'}
TRAINED = dict(zip(('ft', 'det', 'seg'), TASKS))
PROTOCOLS = (*FROZEN, *TRAINED)
DEFAULT_PROTOCOLS = ('ft', 'lin', 'knn')
# What decides is the number of steps: with batches of 128, fine-tuning gains nothing after 64,000
# images and 61 points after 300,000 (docs/scenes.md, docs/results/quickstart_full.json); with
# batches of 64, MAE gains 52 points after 100,000 (one seed). All rows with three seeds then end
# within some hours on two cores.
DEFAULT_IMAGES = 100_000
DEFAULT_BATCH = 64


@dataclass(frozen=True)
class Options:
    """Settings of one table.

    Attributes:
        root: Folder that holds configs/ and tools/.
        methods: Names of the rows to train; the page shows all.
        protocols: Of PROTOCOLS, those to measure.
        n_seeds: Seeds of a row.
        images: Seen in each pre-training.
        batch_size: Of each pre-training on unlabelled images.
        data: Folder of the scenes, made if it is not there.
        work_dir: Folder of everything but the page.
        out: Folder of the page, its plot and living_table.json.
        render_only: Write the page again, train nothing.
        smoke: Cut the transfer trainings to a few steps; the numbers mean nothing.
        slots: Jobs side by side, one thread each.
    """

    root: Path
    methods: tuple
    protocols: tuple = DEFAULT_PROTOCOLS
    n_seeds: int = 3
    images: int = DEFAULT_IMAGES
    batch_size: int = DEFAULT_BATCH
    data: Path = Path(DATA)
    work_dir: Path = Path('work_dirs/living_table')
    out: Path = Path('docs')
    render_only: bool = False
    smoke: bool = False
    slots: int = 2

    @property
    def seeds(self) -> tuple:
        return tuple(range(self.n_seeds))

    @property
    def run_dir(self) -> Path:
        """Tables of different lengths live apart, so none undoes another."""
        length = f'{self.images}-images-batch-{self.batch_size}'
        return self.work_dir / f'{length}{"-smoke" if self.smoke else ""}'


def choose_methods(words) -> tuple:
    """Names of rows from names, groups and the word 'all', in the order of the table.

    Raises:
        ValueError: For an unknown word.
    """
    names = [method.name for method in methods.METHODS]
    unknown = [word for word in words if word not in (*names, *GROUPS, 'all')]
    if unknown:
        raise ValueError(
            f'--methods {unknown[0]} is neither a row nor a group: known are {", ".join(GROUPS)}, '
            f'{", ".join(names)}.'
        )
    return tuple(m.name for m in methods.METHODS if {m.name, m.group, 'all'} & set(words))


def check(options: Options) -> None:
    """Refuse what cannot work, before anything is made.

    Raises:
        ValueError: If a setting or the disk does not allow the run.
    """
    unknown = [task for task in options.protocols if task not in PROTOCOLS]
    if unknown or not options.protocols:
        raise ValueError(f'--tasks must be of {", ".join(PROTOCOLS)}, got {options.protocols}.')
    for name, value in (
        ('seeds', options.n_seeds),
        ('images', options.images),
        ('batch', options.batch_size),
    ):
        if value < 1:
            raise ValueError(f'--{name} must be at least 1, got {value}.')
    if options.slots < 1:
        raise ValueError(f'--threads must be at least 1, got {options.slots}.')
    if not options.render_only:
        options.work_dir.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(options.work_dir).free / GIB
        if free < DISK:
            raise ValueError(
                f'The disk of {options.work_dir} has {free:.1f} GiB free, a table writes up to '
                f'{DISK:.0f} GiB: make room, or choose another place with --work-dir.'
            )
