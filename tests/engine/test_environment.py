"""Who started us, and the Slurm variables in all the shapes clusters give them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmmim.engine.environment import (
    detect_launcher,
    export_slurm,
    first_host,
    is_speaker,
    start_processes,
    world_size,
)
from mmmim.engine.errors import EnvironmentProblem

TORCHRUN = dict(RANK='1', WORLD_SIZE='4', LOCAL_RANK='1', MASTER_ADDR='h', MASTER_PORT='1')
STEP = dict(
    SLURM_JOB_ID='123456',
    SLURM_STEP_ID='0',
    SLURM_STEP_NUM_TASKS='4',
    SLURM_STEP_NODELIST='gpu[03-04]',
    SLURM_NTASKS='4',
    SLURM_PROCID='3',
    SLURM_LOCALID='1',
)


def test_the_environment_decides():
    assert detect_launcher(None, {}) == 'none'
    assert detect_launcher(None, TORCHRUN) == 'pytorch'
    assert detect_launcher(None, STEP) == 'slurm'
    assert detect_launcher(None, {**STEP, **TORCHRUN}) == 'pytorch'  # torchrun inside srun
    assert detect_launcher('none', STEP) == 'none'


def test_a_shell_in_an_allocation_is_one_process():
    batch_script = {k: v for k, v in STEP.items() if 'STEP' not in k}
    assert detect_launcher(None, batch_script) == 'none'
    assert detect_launcher(None, dict(STEP, SLURM_STEP_NUM_TASKS='1')) == 'none'


def test_slurm_variables_become_torch_variables():
    env = dict(STEP)
    export_slurm(env)
    assert (env['RANK'], env['WORLD_SIZE'], env['LOCAL_RANK']) == ('3', '4', '1')
    assert env['MASTER_ADDR'] == 'gpu03' and 1024 < int(env['MASTER_PORT']) < 65536
    assert world_size('slurm', env) == 4 and world_size('none', env) == 1
    other = dict(STEP, SLURM_JOB_ID='123457', MASTER_ADDR='10.0.0.1')
    export_slurm(other)
    assert other['MASTER_PORT'] != env['MASTER_PORT']  # two jobs on a node do not meet
    assert other['MASTER_ADDR'] == '10.0.0.1'
    with pytest.raises(EnvironmentProblem, match='SLURM_PROCID'):
        export_slurm({})


@pytest.mark.parametrize(
    'nodes, host',
    [
        ('node1', 'node1'),
        ('node1,node2', 'node1'),
        ('gpu[03-05,9],cpu1', 'gpu03'),
        ('r[1,3]n-a', 'r1n-a'),
        ('a.b.c[7-8].d', 'a.b.c7.d'),
    ],
)
def test_first_host_without_scontrol(nodes, host):
    assert first_host(nodes) == host


@pytest.mark.parametrize(
    'gpus, backend, device', [(0, 'gloo', None), (1, 'nccl', 0), (8, 'nccl', 1)]
)
def test_a_task_takes_its_gpu_also_where_it_sees_one_alone(monkeypatch, gpus, backend, device):
    taken, groups = [], []
    monkeypatch.setenv('LOCAL_RANK', '1')
    monkeypatch.delenv('TORCHELASTIC_RUN_ID', raising=False)
    monkeypatch.setattr('torch.cuda.is_available', lambda: gpus > 0)
    monkeypatch.setattr('torch.cuda.device_count', lambda: gpus)
    monkeypatch.setattr('torch.cuda.set_device', taken.append)
    monkeypatch.setattr(
        'torch.distributed.init_process_group', lambda name, timeout: groups.append(name)
    )
    start_processes('slurm', dict(backend='nccl'))
    assert groups == [backend] and taken == ([] if device is None else [device])
    assert os.environ['LOCAL_RANK'] == str(1 if device is None else device)


def test_one_process_per_node_speaks():
    assert is_speaker({}) and is_speaker(dict(LOCAL_RANK='0', SLURM_LOCALID='3'))
    assert not is_speaker(TORCHRUN) and not is_speaker(STEP)


def test_debug_messages_without_a_logger_are_kept_back(capsys):
    import logging

    from mmengine.logging import print_log

    import mmmim.registry  # noqa: F401

    print_log('of no use', level=logging.DEBUG)
    print_log('of use')
    assert capsys.readouterr().out == 'of use\n'


def test_one_of_several_leaves_without_the_interpreters_end():
    """What is registered at exit and threads in work are waited for, then nothing more is run."""
    script = (
        'import atexit, sys, threading, time\n'
        'from mmmim.engine.environment import leave\n'
        'class Torn:\n'
        "    def __del__(self): print('torn down')\n"
        'torn = Torn()\n'
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\n"
        "atexit.register(lambda: print('at exit'))\n"
        'leave(3)\n'
    )
    env = dict(os.environ, RANK='0', WORLD_SIZE='2', LOCAL_RANK='0', MASTER_ADDR='127.0.0.1')
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, '-c', script], env=env, cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout.split('\n') == ['thread', 'at exit', '']
