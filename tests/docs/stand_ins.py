"""What stands in for a GPU machine when the blocks of the pages are run: few images, few steps.

A folder with scripts named python, sbatch, srun ... comes first on PATH. They check their words,
make the work small and run it: a config of full size is replaced by the demo config of its method
or task, the words of the reader stay.
"""

import os
import shlex
import stat
import sys
from pathlib import Path

import warm

ROOT = Path(__file__).resolve().parents[2]
DEMO = 'configs/demo/'
TASKS = dict(
    classification=DEMO + 'finetune_vit-demo-p8_1xb32-amp-coslr-30e_scenes-64px.py',
    detection=DEMO + 'mask-rcnn_vit-demo-p8_deconv-fpn_1xb16-amp-coslr-8e_scenes.py',
    segmentation=DEMO + 'upernet_vit-demo-p8_1xb16-amp-coslr-400it_scenes-64x64.py',
)
MAE = DEMO + 'mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'
TOKENIZER = DEMO + 'dvae_cnn-demo-p4_1xb64-coslr-6e_scenes-32px.py'
LOADER = ['train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False']
LENGTHS = {'finetune': 'max_epochs=4', 'mask-rcnn': 'max_epochs=3', 'upernet': 'max_iters=44'}
SCENES = '--processes 1 --unlabeled 128 --train 256 --tune 64 --val 64'.split()
EPOCHS = '3'  # of pre-trainings; their warm-ups keep their share
PROCESSES = 1  # of those that a page asks for; tests/tools has trainings of several
TASK = dict(SLURM_PROCID='0', SLURM_LOCALID='0', SLURM_NTASKS='1', SLURM_NODELIST='localhost')
TASK |= dict(SLURM_NNODES='1', SLURM_JOB_ID='4711', SLURM_STEP_ID='0')
PROGRAMS = ('python', 'pip', 'docker', 'sbatch', 'srun', 'mmmim')


def write(folder: Path) -> None:
    """The scripts, into an empty folder."""
    for name in PROGRAMS:
        path = folder / name
        path.write_text(
            f'#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n'
            f'import stand_ins\nstand_ins.run({name!r}, sys.argv[1:])\n'
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)


def run(program: str, words: list[str]) -> None:
    """Become the real program with less to do; end with status 2 where the words are wrong."""
    if program == 'python':
        start(small(words))
    if program == 'mmmim':
        start(['-m', 'mmmim.console', *words])
    if program in ('sbatch', 'srun'):
        rest = behind_options(words)
        if not rest or program == 'sbatch' and not Path(rest[0]).is_file():
            sys.exit(f'{program}: no script in {shlex.join(words)}')
        os.environ.update(TASK if program == 'srun' else dict(GPUS='1'))
        execute(['bash', *rest] if program == 'sbatch' else rest)
    if program == 'docker' and words[0] not in ('build', 'run'):
        sys.exit(f'docker has no command {words[0]}')
    if program == 'pip' and words[:1] != ['install']:
        sys.exit(f'pip {shlex.join(words)} installs nothing')
    print(f'{program} is not run: {shlex.join(words)}')


def start(words: list[str]) -> None:
    """``python WORDS``, in a process that has the imports behind it where there is one."""
    server = os.environ.get('MMMIM_WARM')
    if server and words and not any(own in word for word in words[:3] for own in warm.OWN):
        sys.exit(warm.ask(server, words))
    execute([sys.executable, *words])


def execute(command) -> None:
    sys.stdout.flush()
    os.execvp(command[0], command)


def behind_options(words) -> list[str]:
    """What follows ``--name=value`` and ``-n value``."""
    at = 0
    while at < len(words) and words[at].startswith('-'):
        at += 1 if words[at].startswith('--') else 2
    return words[at:]


def small(words: list[str]) -> list[str]:
    """The words of python with a small config, few steps and few processes."""
    tool = Path(words[0]).name if words else ''
    if tool == 'torchrun.py':
        return [words[0], str(min(int(words[1]), PROCESSES)), *small(words[2:])]
    if tool == 'test.py' and len(words) > 1:
        return [words[0], small_config(words[1]), *words[2:]]
    if tool == 'make_scenes.py':
        return [*words, *SCENES]
    if tool != 'train.py':
        return words
    config = small_config(words[1])
    options, rest = list(LOADER), list(words[2:])
    if '--preset' in rest:  # of a size of its own
        config = words[1]
    if config in TASKS.values():
        options.append(f'train_cfg.{length(config)}')
    else:
        options.append('train_dataloader.batch_size=32')
        rest = rest if '--epochs' in rest else ['--epochs', EPOCHS, *rest]
    if '--cfg-options' in rest:
        at = rest.index('--cfg-options') + 1
        return [words[0], config, *rest[:at], *options, *rest[at:]]
    return [words[0], config, *rest, '--cfg-options', *options]


def small_config(path: str) -> str:
    """A demo config in place of one of full size."""
    folder, name = Path(path).parts[-2:] if len(Path(path).parts) > 1 else ('', path)
    if folder == 'demo' or not (ROOT / path).is_file():
        return path
    if folder in TASKS:
        return TASKS[folder]
    method = name.split('_')[0].replace('cae-tokenizer', 'dvae')
    found = sorted((ROOT / DEMO).glob(f'{method}_*.py'))
    return DEMO + found[0].name if found else MAE


def length(config: str) -> str:
    return LENGTHS[Path(config).name.split('_')[0]]
