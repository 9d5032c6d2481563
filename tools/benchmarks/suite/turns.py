"""Taking turns: a training loop, whosever it is, runs a number of steps and waits."""

import contextlib
import ctypes
import json
import time

import torch


class LastTurn(Exception):
    """The measurement is over: leaves the training loop."""


class Turns:
    """Called by a loop after every step; measures a turn and waits for the next.

    The clock starts when a turn is asked for and stops when the last step's work is done.

    Args:
        commands (file): Lines of JSON: dict(steps=int, count=bool), or dict(stop=True).
        answers (file): Gets a line of JSON per turn.
        device (str): 'cpu' or 'cuda'.
    """

    def __init__(self, commands, answers, device):
        self.commands, self.answers, self.device = commands, answers, device
        self.left = 0

    def begin(self):
        """Wait for the first command. Call it when everything is built."""
        self._answer(dict(ready=True, before_mib=resident_mib()))
        reset_peak(self.device)
        self._next()

    def __call__(self, images: int):
        """One step of ``images`` images is done."""
        self.images += images
        self.left -= 1
        if self.left:
            return
        if self.device == 'cuda':
            torch.cuda.synchronize()
        result = dict(
            seconds=time.perf_counter() - self.wall,
            cpu_seconds=time.process_time() - self.cpu,
            images=self.images,
            peak_mib=peak_mib(self.device),
            flops=self._flops(),
        )
        if self.device == 'cuda':
            torch.cuda.empty_cache()  # the next process needs the room
        if self.counter is not None:
            forget_counting(self.device)
        self._answer(result)
        self._next()

    def _flops(self):
        if self.counter is None:
            return None
        self.contexts.close()
        return self.counter.get_total_flops()

    def _next(self):
        line = self.commands.readline()
        command = json.loads(line) if line.strip() else dict(stop=True)
        if command.get('stop'):
            raise LastTurn
        self.left, self.images, self.counter = command['steps'], 0, None
        if command.get('count'):
            self._start_counting()
        if self.device == 'cuda':
            torch.cuda.synchronize()
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def _start_counting(self):
        from torch.nn.attention import SDPBackend, sdpa_kernel
        from torch.utils.flop_counter import FlopCounterMode

        self.counter = FlopCounterMode(display=False)
        self.contexts = contextlib.ExitStack()
        self.contexts.enter_context(sdpa_kernel(SDPBackend.MATH))  # fused kernels are not counted
        self.contexts.enter_context(self.counter)

    def _answer(self, message):
        self.answers.write(json.dumps(message) + '\n')
        self.answers.flush()


def _status(key, path='/proc/self/status'):
    with contextlib.suppress(OSError), open(path) as file:
        for line in file:
            if line.startswith(key):
                return int(line.split()[1]) / 1024
    return 0.0


def resident_mib() -> float:
    """Memory of this process now."""
    return _status('VmRSS')


def available_mib() -> float:
    """Memory of the machine that is free, or could be at once."""
    return _status('MemAvailable', '/proc/meminfo')


def reset_peak(device: str) -> None:
    """Forget the peak of building the model."""
    if device == 'cuda':
        torch.cuda.reset_peak_memory_stats()
        return
    with contextlib.suppress(OSError), open('/proc/self/clear_refs', 'w') as file:
        file.write('5')


def forget_counting(device: str) -> None:
    """Counting FLOPs takes unfused attention, whose matrices are not the contestant's memory."""
    if device == 'cpu':
        with contextlib.suppress(OSError, AttributeError):  # glibc alone has it
            ctypes.CDLL(None).malloc_trim(0)
    reset_peak(device)


def peak_mib(device: str) -> float:
    """Largest memory since :func:`reset_peak`: of tensors on the GPU, else of the process."""
    if device == 'cuda':
        return torch.cuda.max_memory_allocated() / 2**20
    return _status('VmHWM')
