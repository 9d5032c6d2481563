"""What a training job is doing, read from the end of its log, and how it is shown."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import NamedTuple

TAIL_BYTES = 16384
PLAIN_INTERVAL = 30.0  # seconds between lines where nothing can be redrawn (a file, a pipe)
_STEP = re.compile(
    r'- (?:Epoch +(?P<epoch>\d+)/(?P<epochs>\d+) \[ *(?P<step>\d+)/(?P<steps>\d+)\]'
    r'|Iter +(?P<iter>\d+)/(?P<iters>\d+))(?P<rest>.*)'
)
_SPEED = re.compile(r'(\S+) images/s')
_LOSS = re.compile(r' loss (\S+)')
_ETA = re.compile(r' eta (.*\d)')


class Progress(NamedTuple):
    """One logged step of a training.

    Attributes:
        fraction: Share of the training that is done.
        speed: Images per second, None if the line does not say.
        loss: None likewise.
        eta: Seconds left, None likewise.
    """

    fraction: float
    speed: float | None = None
    loss: float | None = None
    eta: float | None = None


def read_tail(path: Path, size: int = TAIL_BYTES) -> str:
    """The last ``size`` bytes of a text file, an empty string if there is no file."""
    try:
        with open(path, 'rb') as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - size, 0))
            return file.read().decode('utf-8', errors='replace')
    except FileNotFoundError:
        return ''


def seconds_of(clock: str) -> float:
    """Seconds of ``'1:02:03'`` or ``'2 days, 1:02:03'``."""
    days, _, rest = clock.rpartition(', ')
    hours, minutes, seconds = (float(part) for part in rest.split(':'))
    days = int(days.split()[0]) if days else 0
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def last_progress(text: str) -> Progress | None:
    """The last training step that ``mmmim.LogProcessor`` wrote in ``text``, or None."""
    matches = list(_STEP.finditer(text))
    if not matches:
        return None
    match = matches[-1]
    place = {name: int(value) for name, value in match.groupdict('0').items() if name != 'rest'}
    if place['epochs']:
        done = (place['epoch'] - 1) * place['steps'] + place['step']
        fraction = done / (place['epochs'] * place['steps'])
    else:
        fraction = place['iter'] / place['iters']
    rest = match['rest']
    speed, loss, eta = (pattern.search(rest) for pattern in (_SPEED, _LOSS, _ETA))
    return Progress(
        fraction,
        float(speed[1]) if speed else None,
        float(loss[1]) if loss else None,
        seconds_of(eta[1]) if eta else None,
    )


def clock(seconds: float) -> str:
    """``75`` gives ``'1:15'``, ``3675`` gives ``'1:01:15'``."""
    minutes, seconds = divmod(int(round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02d}:{seconds:02d}' if hours else f'{minutes}:{seconds:02d}'


def describe(running) -> str:
    """Short text for the running jobs: share done, time left, loss; speed if there is only one.

    Args:
        running: Pairs of a job and its progress, which may be None.
    """
    known = [progress for _, progress in running if progress is not None]
    etas = [progress.eta for progress in known if progress.eta is not None]
    parts = [f'{running[0][0].stage} [{bar(min((p.fraction for p in known), default=0.0))}]']
    if len(running) == 1 and known and known[0].speed is not None:
        parts.append(f'{known[0].speed:.0f} images/s')
    if any(job.label for job, _ in running):
        parts += [_state(job, progress) for job, progress in running]
    if etas and max(etas) > 0:
        parts.append(f'ETA {clock(max(etas))}')
    return '  '.join(parts)


def _state(job, progress: Progress | None) -> str:
    if progress is None:
        return f'{job.label} starting'
    if progress.fraction == 1:
        return f'{job.label} {"evaluating" if job.evaluates else "finishing"}'
    return f'{job.label} loss {progress.loss:.3f}' if progress.loss is not None else job.label


def bar(fraction: float, width: int = 10) -> str:
    filled = int(round(min(max(fraction, 0.0), 1.0) * width))
    return '#' * filled + '-' * (width - filled)


class Display:
    """One live line in a terminal, a plain line now and then elsewhere.

    Args:
        stream: Where to print; standard output by default.
        live: Redraw one line; by default when the stream is a terminal.
        width: Columns the live line may take.
    """

    def __init__(self, stream=None, live: bool | None = None, width: int = 79):
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty() if live is None else live
        self.width = width
        self.started = time.monotonic()
        self._last_plain = 0.0
        self._drawn = 0

    def say(self, text: str = '') -> None:
        """A line that stays."""
        self._clear()
        print(text, file=self.stream, flush=True)

    def update(self, running, count: str = '') -> None:
        """Show the running jobs.

        Args:
            running: Pairs of a job and its progress, which may be None.
            count: How many jobs are done, ``'12/40'``.
        """
        if not running:
            return
        now = time.monotonic()
        if not self.live and now - self._last_plain < PLAIN_INTERVAL:
            return
        text = '  '.join(filter(None, (clock(now - self.started), count, describe(running))))
        if self.live:
            self._clear()
            self.stream.write(text[: self.width])
            self.stream.flush()
            self._drawn = min(len(text), self.width)
        else:
            self._last_plain = now
            print(f'  {text}', file=self.stream, flush=True)

    def _clear(self) -> None:
        if self._drawn:
            self.stream.write('\r' + ' ' * self._drawn + '\r')
            self._drawn = 0
