"""What the user asked for, checked before the first step."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mmmim.living_table.configs import DATA

from .recipes import PROTOCOLS

SIDES = ('pretrained', 'scratch')


@dataclass(frozen=True)
class Options:
    """Settings of one call.

    Attributes:
        root: Folder that holds configs/ and tools/.
        checkpoint: File of the encoder, of any layout that ``pretrained=`` takes.
        tasks: Names of protocols.
        configs: Task -> config file that replaces the recipe on the embedded data.
        words: Task -> ``KEY=VALUE`` words for --cfg-options; '' holds those of all trainings.
        rates: Task -> learning rates to try.
        n_seeds: Trainings per task.
        baseline: Run everything from random weights too.
        grid: Try the grid of learning rates of the embedded recipes.
        feature: 'mean', 'cls', or 'auto', for frozen features.
        data: Folder of the scenes.
        work_dir: Folder of jobs, logs and table.
        smoke: Cut the embedded recipes to a few steps.
        report: Write the table from what is done, run nothing.
        slots: Jobs side by side.
        gpus: Processes of one training under torchrun, 0 for a single one.
        slurm: Options of sbatch for a training; None runs the jobs here.
        slurm_small: Those of jobs without a GPU.
        follow_up: This call was made by the queue.
    """

    root: Path
    checkpoint: Path
    tasks: tuple
    configs: dict = field(default_factory=dict)
    words: dict = field(default_factory=dict)
    rates: dict = field(default_factory=dict)
    n_seeds: int = 1
    baseline: bool = False
    grid: bool = False
    feature: str = 'auto'
    data: Path = Path(DATA)
    work_dir: Path = Path('work_dirs/transfer')
    smoke: bool = False
    report: bool = False
    slots: int = 2
    gpus: int = 0
    slurm: tuple | None = None
    slurm_small: tuple | None = None
    follow_up: bool = False

    @property
    def seeds(self) -> tuple:
        return tuple(range(self.n_seeds))

    @property
    def sides(self) -> tuple:
        return SIDES if self.baseline else SIDES[:1]

    @property
    def run_dir(self) -> Path:
        """A smoke run undoes no real one."""
        return self.work_dir / 'smoke' if self.smoke else self.work_dir

    @property
    def on_scenes(self) -> bool:
        """Whether any task runs on the embedded data."""
        return any(task not in self.configs for task in self.tasks)


def default_work_dir(checkpoint: Path) -> Path:
    """``work_dirs/RUN/encoder.pth`` gives ``work_dirs/transfer/RUN-encoder``."""
    checkpoint = Path(checkpoint).absolute()
    return Path('work_dirs/transfer') / f'{checkpoint.parent.name}-{checkpoint.stem}'


def split_tasks(words) -> tuple:
    """Names of protocols in the order of the table.

    Raises:
        ValueError: For an unknown name, or none.
    """
    names = [name for word in words for name in word.split(',') if name]
    unknown = [name for name in names if name not in PROTOCOLS]
    if unknown or not names:
        raise ValueError(
            f'--tasks must be of {",".join(PROTOCOLS)}, got {", ".join(unknown) or "none"}.'
        )
    return tuple(name for name in PROTOCOLS if name in names)


def by_task(option: str, words, tasks) -> dict:
    """``TASK=VALUE`` words as a dict.

    Raises:
        ValueError: If a word has another form, or its task is not run.
    """
    found = {}
    for word in words:
        task, mark, value = word.partition('=')
        if not mark or not value or task not in PROTOCOLS:
            raise ValueError(
                f'{option} {word}: write it as TASK=VALUE with a task of {",".join(PROTOCOLS)}.'
            )
        if task not in tasks:
            raise ValueError(f'{option} {word}: the task {task} is not among --tasks.')
        found[task] = value
    return found


def split_words(words) -> dict:
    """``KEY=VALUE`` for all trainings, ``TASK:KEY=VALUE`` for those of one task.

    Raises:
        ValueError: For a word without ``=``, or an unknown task.
    """
    found: dict = {}
    for word in words:
        task, mark, rest = word.partition(':')
        if not mark or '=' in task or '.' in task:
            task, rest = '', word
        if '=' not in rest or task not in ('', *PROTOCOLS):
            raise ValueError(
                f'--cfg-options {word}: write it as KEY=VALUE, or as TASK:KEY=VALUE with a task of '
                f'{",".join(PROTOCOLS)}.'
            )
        found.setdefault(task, []).append(rest)
    return found


def split_rates(words, tasks) -> dict:
    """``ft=1e-3,5e-4`` words: task -> learning rates.

    Raises:
        ValueError: If one is not a positive number, or the task has no learning rate.
    """
    found = {}
    for task, text in by_task('--lr', words, tasks).items():
        try:
            rates = tuple(dict.fromkeys(float(item) for item in text.split(',')))
        except ValueError:
            rates = ()
        if not rates or min(rates) <= 0:
            raise ValueError(f'--lr {task}={text}: learning rates are positive numbers.')
        found[task] = rates
    return found


def check(options: Options) -> None:
    """Refuse what cannot work, before anything is made.

    Raises:
        FileNotFoundError: If the checkpoint or a config is not there.
        ValueError: If settings contradict each other.
    """
    if not options.checkpoint.is_file():
        raise FileNotFoundError(f'checkpoint {options.checkpoint} does not exist.')
    for task, path in options.configs.items():
        if not Path(path).is_file():
            raise FileNotFoundError(f'--configs {task}={path}: there is no such file.')
    for name, value in (('seeds', options.n_seeds), ('threads', options.slots)):
        if value < 1:
            raise ValueError(f'--{name} must be at least 1, got {value}.')
    if options.gpus < 0:
        raise ValueError(f'--gpus must not be negative, got {options.gpus}.')
    if options.gpus and options.slurm is not None:
        raise ValueError('--gpus is for torchrun here: with --slurm, GPUs are in its options.')
    if options.smoke and options.configs:
        raise ValueError('--smoke shortens the embedded recipes: with --configs use --cfg-options.')
    if options.follow_up and options.slurm is None:
        raise ValueError('--follow-up is for calls by the queue, with --slurm.')
    for task in options.rates:
        if PROTOCOLS[task].scenes is None and task not in options.configs:
            raise ValueError(f'--lr {task}: this protocol has no learning rate on the scenes.')
    if 'knn' in options.rates:
        raise ValueError('--lr knn: k-NN has no learning rate.')
