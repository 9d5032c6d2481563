"""Who we are and whether we can talk, before a config's data is touched."""

import fcntl
import os
import socket
import struct
import sys
import time

import torch
import torch.distributed as dist

from .errors import EnvironmentProblem

_GET_ADDRESS = 0x8915  # SIOCGIFADDR of Linux


def check_launch(stream=None):
    """Print one line per process, then let all add a one over the backend of the training.

    Args:
        stream (file, optional): Where the first process prints; standard output.

    Raises:
        EnvironmentProblem: If the sum is wrong.
    """
    stream = stream or sys.stdout
    lines = [describe_process()]
    world = dist.get_world_size() if dist.is_initialized() else 1
    seconds, total = 0.0, 1
    if world > 1:
        # The lines go first: where the sum hangs, they are on the screen.
        lines = [None] * world
        dist.all_gather_object(lines, describe_process())
    if not dist.is_initialized() or dist.get_rank() == 0:
        print('\n'.join(lines), file=stream, flush=True)
    if dist.is_initialized():
        seconds, total = add_ones()
    if total != world:
        raise EnvironmentProblem(f'{world} processes added their ones and got {total}.')
    if not dist.is_initialized() or dist.get_rank() == 0:
        how = f'over {dist.get_backend()} ' if dist.is_initialized() else ''
        print(f'{world} of {world} processes met {how}in {1e3 * seconds:.1f} ms.', file=stream)


def add_ones():
    """Seconds and result of one sum over the processes."""
    device = f'cuda:{torch.cuda.current_device()}' if dist.get_backend() == 'nccl' else 'cpu'
    ones = torch.ones(1, device=device)
    start = time.perf_counter()
    dist.all_reduce(ones)
    total = int(ones)
    return time.perf_counter() - start, total


def describe_process():
    """Rank, host, device, the interface to the first process, and what steers the choice."""
    rank = dist.get_rank() if dist.is_initialized() else 0
    world = dist.get_world_size() if dist.is_initialized() else 1
    words = [f'rank {rank} of {world}', f'host {socket.gethostname()}', f'pid {os.getpid()}']
    words.append(f'local rank {os.environ.get("LOCAL_RANK", 0)}')
    words.append(describe_device())
    words.append(f'interfaces {", ".join(interfaces()) or "unknown"}')
    if 'MASTER_ADDR' in os.environ:
        words.append(f'meets at {os.environ["MASTER_ADDR"]}:{os.environ.get("MASTER_PORT", "?")}')
    for key in ('CUDA_VISIBLE_DEVICES', 'NCCL_SOCKET_IFNAME', 'GLOO_SOCKET_IFNAME', 'NCCL_IB_HCA'):
        if key in os.environ:
            words.append(f'{key}={os.environ[key]}')
    return '  '.join(words)


def describe_device():
    if not torch.cuda.is_available():
        return f'CPU, {torch.get_num_threads()} threads'
    index = torch.cuda.current_device()
    visible = torch.cuda.device_count()
    return f'cuda:{index} of {visible} visible ({torch.cuda.get_device_name(index)})'


def interfaces():
    """``name address`` of the network interfaces that have an IPv4 address."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                request = struct.pack('256s', name.encode()[:15])
                answer = fcntl.ioctl(probe.fileno(), _GET_ADDRESS, request)
            except OSError:
                continue
            found.append(f'{name} {socket.inet_ntoa(answer[20:24])}')
    return found
