"""The Slurm scripts against a stand-in for srun: what they start, and what they refuse."""

import os
import shutil
import stat

import pytest
from recipes import TOOLS, run_tool

ALLOCATION = dict(SLURM_JOB_ID='7', SLURM_NNODES='2', SLURM_NTASKS='16', SLURM_GPUS_ON_NODE='8')


@pytest.fixture
def cluster(tmp_path):
    """Programs that print how they were called, and a clean environment."""
    programs = tmp_path / 'bin'
    programs.mkdir()
    for name in ('srun', 'fakepython'):
        path = programs / name
        path.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return dict(PATH=f'{programs}:{os.environ["PATH"]}', PYTHON='fakepython')


def call(cluster, script, *words, cwd, **env):
    return run_tool(script, *words, cwd=cwd, **cluster, **env)


def test_an_allocation_is_taken_as_it_is(cluster, tmp_path):
    done = call(cluster, 'slurm_train.sh', 'c.py', '--amp', cwd=tmp_path, **ALLOCATION)
    assert done.returncode == 0, done.stderr
    wanted = f'srun --kill-on-bad-exit=1 fakepython -u {TOOLS}/train.py c.py --amp'
    assert done.stdout.strip() == f'{wanted} --launcher slurm'
    done = call(cluster, 'slurm_test.sh', 'c.py', 'x.pth', cwd='/', **ALLOCATION)
    assert f'{TOOLS}/test.py c.py x.pth --launcher slurm' in done.stdout


def test_inside_a_step_nothing_is_nested(cluster, tmp_path):
    step = dict(ALLOCATION, SLURM_STEP_ID='0', SLURM_PROCID='3')
    done = call(cluster, 'slurm_train.sh', 'c.py', cwd=tmp_path, **step)
    assert done.stdout.startswith('fakepython -u') and 'srun' not in done.stdout


def test_one_task_per_gpu(cluster, tmp_path):
    wrong = dict(ALLOCATION, SLURM_NTASKS='2')
    done = call(cluster, 'slurm_train.sh', 'c.py', cwd=tmp_path, **wrong)
    assert done.returncode == 2 and done.stdout == ''
    assert '--ntasks-per-node=8' in done.stderr and len(done.stderr.splitlines()) == 1
    cpus = {k: v for k, v in ALLOCATION.items() if 'GPUS' not in k}
    assert call(cluster, 'slurm_train.sh', 'c.py', cwd=tmp_path, **cpus).returncode == 0


def test_outside_an_allocation(cluster, tmp_path):
    done = call(cluster, 'slurm_train.sh', 'c.py', cwd=tmp_path)
    assert done.returncode == 2 and 'GPUS' in done.stderr
    words = dict(GPUS='4', SRUN_ARGS='-p long --gpus-per-node=4')
    done = call(cluster, 'slurm_train.sh', 'c.py', cwd=tmp_path, **words)
    start = 'srun --ntasks=4 --kill-on-bad-exit=1 -p long --gpus-per-node=4 fakepython'
    assert done.stdout.startswith(start)


def test_the_copy_that_sbatch_runs_finds_the_tools(cluster, tmp_path):
    """sbatch copies the script to its spool; the tools stay where the job was submitted."""
    spool = tmp_path / 'spool'
    spool.mkdir()
    copy = spool / 'slurm_script'
    copy.write_text((TOOLS / 'slurm_train.sh').read_text())
    env = dict(cluster, **ALLOCATION)
    done = run_tool(str(copy), 'c.py', cwd=tmp_path, SLURM_SUBMIT_DIR=str(TOOLS.parent), **env)
    assert f'{TOOLS}/train.py c.py' in done.stdout
    done = run_tool(str(copy), 'c.py', cwd=tmp_path, MMMIM_TOOLS=str(TOOLS), **env)
    assert f'{TOOLS}/train.py c.py' in done.stdout
    done = run_tool(str(copy), 'c.py', cwd=tmp_path, SLURM_SUBMIT_DIR=str(tmp_path), **env)
    assert done.returncode == 2 and 'MMMIM_TOOLS' in done.stderr


@pytest.mark.parametrize(
    'code, batch, restarts, requeued',
    [
        (85, True, 9, True),
        (85, False, 0, False),
        (1, True, 2, True),
        (1, True, 3, False),
        (1, False, 0, False),
        (2, True, 0, False),
        (0, True, 0, False),
    ],
)
def test_what_is_requeued(cluster, tmp_path, code, batch, restarts, requeued):
    """Saved after a signal: always. Failed: a few times. A user's mistake: never."""
    programs = tmp_path / 'bin'
    (programs / 'srun').write_text(f'#!/bin/sh\necho srun "$@"\nexit {code}\n')
    (programs / 'scontrol').write_text(f'#!/bin/sh\necho scontrol "$@"\nexit {0 if batch else 1}\n')
    (programs / 'scontrol').chmod(0o755)
    env = dict(SLURM_JOB_ID='7', SLURM_RESTART_COUNT=str(restarts))
    env['ENVIRONMENT'] = 'BATCH' if batch else ''
    done = call(cluster, 'slurm_train.sh', 'c.py', cwd=tmp_path, **env)
    assert done.returncode == code
    assert ('scontrol requeue 7' in done.stdout) == (requeued or code == 85)
    assert ('is requeued' in done.stdout) == requeued
    assert ('c.py --launcher slurm --resume' in done.stdout) == (restarts > 0)
    if code == 85 and not batch:
        assert 'sbatch' in done.stderr and 'c.py --resume' in done.stderr
    test = call(cluster, 'slurm_test.sh', 'c.py', 'x.pth', cwd=tmp_path, **env)
    assert test.returncode == code and 'scontrol' not in test.stdout + test.stderr
    assert '--resume' not in test.stdout


def test_without_srun(tmp_path):
    programs = tmp_path / 'bin'
    programs.mkdir()
    for name in ('bash', 'dirname', 'basename'):
        (programs / name).symlink_to(shutil.which(name))
    done = run_tool('slurm_train.sh', 'c.py', cwd=tmp_path, SLURM_JOB_ID='7', PATH=str(programs))
    assert done.returncode == 2 and 'no srun' in done.stderr
