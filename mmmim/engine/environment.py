"""Processes and devices: who starts us, how many we are, and the process group."""

import atexit
import ctypes
import datetime
import os
import re
import signal
import socket
import sys
import threading

import torch
import torch.distributed as dist

from .errors import EnvironmentProblem

LAUNCHERS = ('none', 'pytorch', 'slurm')
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux


def detect_launcher(choice=None, env=os.environ):
    """Which launcher started this process.

    Args:
        choice (str, optional): One of ``LAUNCHERS``; None reads the environment.
        env (Mapping): Environment variables.

    Returns:
        str: ``'pytorch'`` under torchrun, ``'slurm'`` in a step of several tasks, else ``'none'``.
        A batch script or an interactive shell in an allocation is one process: ``'none'``.
    """
    if choice is not None:
        return choice
    if {'RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR'} <= set(env):
        return 'pytorch'
    if int(env.get('SLURM_STEP_NUM_TASKS', 1)) > 1 and 'SLURM_PROCID' in env:
        return 'slurm'
    return 'none'


def export_slurm(env=os.environ):
    """Set RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT from ``SLURM_*``.

    Without ``scontrol``, which containers lack: the first node is read from the node list. The port
    follows from the job id, so that two jobs on a node do not meet.

    Raises:
        EnvironmentProblem: Outside a Slurm step.
    """
    missing = [key for key in ('SLURM_PROCID', 'SLURM_LOCALID') if key not in env]
    if missing:
        raise EnvironmentProblem(
            f'--launcher slurm, but {missing[0]} is not set: start the processes with srun or '
            'tools/slurm_train.sh.'
        )
    tasks = env.get('SLURM_STEP_NUM_TASKS') or env.get('SLURM_NTASKS') or '1'
    nodes = env.get('SLURM_STEP_NODELIST') or env.get('SLURM_NODELIST') or socket.gethostname()
    env.setdefault('MASTER_ADDR', first_host(nodes))
    env.setdefault('MASTER_PORT', str(20000 + int(env.get('SLURM_JOB_ID', 0)) % 30000))
    env['RANK'], env['WORLD_SIZE'] = env['SLURM_PROCID'], tasks
    env['LOCAL_RANK'] = env['SLURM_LOCALID']


def first_host(nodes):
    """First name of a Slurm node list: ``'gpu[03-05,9],cpu1'`` gives ``'gpu03'``."""
    match = re.match(r'([^\[,]+)(?:\[([^\]]+)\])?([^,]*)', nodes)
    if not match:
        raise EnvironmentProblem(f'Cannot read the Slurm node list {nodes!r}: set MASTER_ADDR.')
    prefix, numbers, suffix = match.groups()
    return prefix + (re.split('[-,]', numbers)[0] if numbers else '') + suffix


def world_size(launcher, env=os.environ):
    """Number of processes of the job, before the process group exists."""
    return 1 if launcher == 'none' else int(env['WORLD_SIZE'])


def is_speaker(env=os.environ):
    """Whether this process reports errors: the first of each node."""
    return int(env.get('LOCAL_RANK', env.get('SLURM_LOCALID', 0))) == 0


def start_processes(launcher, dist_cfg=None):
    """Create the process group: NCCL on GPUs, gloo where there are none.

    mmengine's own start sets a CUDA device whether or not there is one, and under Slurm takes the
    task number for the device although a task may see one GPU only.

    Args:
        launcher (str): One of ``LAUNCHERS``.
        dist_cfg (dict, optional): ``env_cfg.dist_cfg`` of the config: ``timeout`` in seconds is
            used, ``backend`` only where its devices exist.
    """
    if launcher == 'none' or dist.is_initialized():
        return
    if 'TORCHELASTIC_RUN_ID' in os.environ:
        end_with_parent()
    for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS'):  # as mmengine does, with a warning each
        os.environ.setdefault(name, '1')
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    local_rank = int(os.environ['LOCAL_RANK'])
    backend = (dist_cfg or {}).get('backend', 'nccl') if gpus else 'gloo'
    if gpus:
        # mmengine hands LOCAL_RANK to the distributed wrapper as the device.
        os.environ['LOCAL_RANK'] = str(local_rank % gpus)
        torch.cuda.set_device(local_rank % gpus)
    seconds = (dist_cfg or {}).get('timeout', 1800)
    dist.init_process_group(backend, timeout=datetime.timedelta(seconds=seconds))


def end_with_parent(env=os.environ):
    """Let the kernel end this process with the torchrun that started it (Linux).

    torchrun ends its processes in order, but killed itself it leaves them on the GPUs.
    tools/torchrun.py says in ``MMMIM_PARENT`` who it is: it may have ended during our imports.

    Raises:
        EnvironmentProblem: If it has.
    """
    if not sys.platform.startswith('linux'):
        return
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, int(signal.SIGKILL))
    parent = int(env.get('MMMIM_PARENT', os.getppid()))
    if parent != os.getppid():
        raise EnvironmentProblem(f'torchrun (pid {parent}), which started this process, has ended.')


def stop_processes():
    if dist.is_initialized():
        dist.destroy_process_group()


def leave(code, env=os.environ):
    """End the process with ``code``; one of several without tearing the interpreter down.

    Gloo's threads outlive ``destroy_process_group`` (torch 2.11). One that lets go of a tensor
    while the interpreter ends aborts the process: code -6 after a training that was fine.
    """
    if detect_launcher(env=env) == 'none':
        sys.exit(code)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()  # what the interpreter would do first
    leave_at_once(code)


def leave_at_once(code):
    """End the process with ``code`` as soon as what it printed is out."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def device_word():
    """What the report counts: GPUs or processes."""
    return 'GPU' if torch.cuda.is_available() else 'process'
