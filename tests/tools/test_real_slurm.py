"""tools/slurm_train.sh under a real Slurm of two nodes.

The long form trains on both, kills one, and compares the weights:

    bash tools/run_tests.sh -m long -n 0 tests/tools/test_real_slurm.py
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from recipes import PRETRAIN, TOOLS, make_images, write_config
from slurm_cluster import Cluster, reason_to_skip, wait_for

# Stands for python: notes what it is started as, and behaves as the file `plan` says.
STAND_IN = """#!/bin/bash
echo "run ${SLURM_RESTART_COUNT:-0} rank $SLURM_PROCID on $SLURMD_NODENAME: ${*: -1}" >>notes
trap 'echo "rank $SLURM_PROCID signalled" >>notes; sleep 0.5; exit 85' USR1
if [ "${SLURM_RESTART_COUNT:-0}" = 0 ]; then touch ready-$SLURM_PROCID; sleep 60 & wait $!; fi
"""


@pytest.fixture
def cluster(tmp_path, request):
    reason = reason_to_skip(install=request.node.get_closest_marker('long') is not None)
    if reason:
        pytest.skip(reason)
    with Cluster(tmp_path / 'cluster') as running:
        yield running


# Two ranks that leave at different times: srun may end the later one first (seen about once in two
# on a busy machine; the job is requeued then too, but as one that failed).
@pytest.mark.long
def test_signal_requeue_resume(cluster, tmp_path):
    python = tmp_path / 'python'
    python.write_text(STAND_IN)
    python.chmod(0o755)
    job = cluster.submit(
        TOOLS / 'slurm_train.sh', 'c.py', cwd=tmp_path, PYTHON=str(python), MMMIM_TOOLS=str(TOOLS)
    )
    wait_for(lambda: all((tmp_path / f'ready-{rank}').exists() for rank in (0, 1)), 30)
    cluster.call('scancel', '--signal=USR1', job)
    cluster.hasten(job)
    fields = cluster.wait(job, ('COMPLETED', 'FAILED', 'CANCELLED'), 60)
    assert fields['JobState'] == 'COMPLETED' and fields['Restarts'] == '1'
    notes = (tmp_path / 'notes').read_text().splitlines()
    assert sorted(notes[:2]) == [f'run 0 rank {r} on node{r + 1}: slurm' for r in (0, 1)]
    assert sorted(notes[2:4]) == ['rank 0 signalled', 'rank 1 signalled']
    assert sorted(notes[4:]) == [f'run 1 rank {r} on node{r + 1}: --resume' for r in (0, 1)]
    log = (tmp_path / f'slurm-{job}.out').read_text()
    assert 'has saved: job' in log and 'is requeued and will resume' in log


SLOW = """
train_cfg = dict(max_epochs=12)
default_hooks = dict(checkpoint=dict(interval=3, by_epoch=False))
optim_wrapper = dict(optimizer=dict(lr=1e-3))
"""


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path, PRETRAIN, 'mae_nodes', make_images(tmp_path / 'data'), SLOW)


def weights(folder):
    name = Path((folder / 'last_checkpoint').read_text())
    return name.name, torch.load(folder / name.name, weights_only=True)['state_dict']


def same_end(one, other):
    (name, a), (again, b) = weights(one), weights(other)
    assert name == again
    assert all(torch.equal(a[key], b[key]) for key in a)


def iterations(folder):
    return len(list(folder.glob('iter_*.pth'))) if folder.exists() else 0


@pytest.mark.long
def test_a_node_dies(cluster, config, tmp_path):
    env = dict(MASTER_ADDR='127.0.0.1', GLOO_SOCKET_IFNAME='lo', OMP_NUM_THREADS='1')
    env.update(PYTHON=sys.executable, MMMIM_TOOLS=str(TOOLS))

    def start(folder):
        words = (TOOLS / 'slurm_train.sh', config, '--work-dir', folder)
        return cluster.submit(*words, cwd=tmp_path, **env)

    checked = cluster.submit(
        TOOLS / 'slurm_train.sh', config, '--check-launch', cwd=tmp_path, **env
    )
    assert cluster.wait(checked, ('COMPLETED', 'FAILED'), 1200)['JobState'] == 'COMPLETED'
    log = (tmp_path / f'slurm-{checked}.out').read_text()
    assert 'rank 1 of 2' in log and '2 of 2 processes met over gloo' in log
    whole = start(tmp_path / 'whole')
    assert cluster.wait(whole, ('COMPLETED', 'FAILED'), 1500)['JobState'] == 'COMPLETED'
    part = start(tmp_path / 'part')
    wait_for(lambda: iterations(tmp_path / 'part') >= 1, 1200)
    cluster.kill_node('node2')
    # Slurm notices after SlurmdTimeout, ends what is left of the job and requeues it.
    wait_for(lambda: cluster.state(part)['JobState'] in ('PENDING', 'FAILED'), 600)
    cluster.start_node('node2')
    cluster.hasten(part)
    fields = cluster.wait(part, ('COMPLETED', 'FAILED'), 2000)
    log = (tmp_path / f'slurm-{part}.out').read_text()
    assert fields['JobState'] == 'COMPLETED' and int(fields['Restarts']) >= 1, log
    assert 'resumed at' in log
    same_end(tmp_path / 'whole', tmp_path / 'part')


def descendants(pid):
    """Process ids below one."""
    found = []
    for entry in filter(str.isdigit, os.listdir('/proc')):
        try:
            stat = Path(f'/proc/{entry}/stat').read_text()
        except OSError:
            continue
        if int(stat.rpartition(')')[2].split()[1]) == pid:
            found += [int(entry), *descendants(int(entry))]
    return found


@pytest.mark.long
def test_a_torchrun_node_dies(config, tmp_path):
    """Two launches of dist_train.sh on one machine stand for two nodes."""

    def start(folder, port, *words):
        nodes = []
        for rank in '01':
            env = dict(NNODES='2', NODE_RANK=rank, MASTER_ADDR='127.0.0.1', PORT=port)
            env.update(GLOO_SOCKET_IFNAME='lo', OMP_NUM_THREADS='1', PYTHON=sys.executable)
            command = ['bash', TOOLS / 'dist_train.sh', config, '1', '--work-dir', folder, *words]
            nodes.append(
                subprocess.Popen(command, env={**os.environ, **env}, start_new_session=True)
            )
        return nodes

    assert [node.wait(1500) for node in start(tmp_path / 'whole', '29611')] == [0, 0]
    first, second = start(tmp_path / 'part', '29612')
    wait_for(lambda: iterations(tmp_path / 'part') >= 1, 1200)
    for pid in [second.pid, *descendants(second.pid)]:  # torchrun's processes outlive it
        os.kill(pid, 9)
    second.wait()
    assert first.wait(1200) not in (0, 2)
    nodes = start(tmp_path / 'part', '29613', '--resume')
    assert [node.wait(1500) for node in nodes] == [0, 0]
    same_end(tmp_path / 'whole', tmp_path / 'part')
