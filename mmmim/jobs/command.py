"""How a command of jobs ends: exit status, one sentence for an error, how to go on."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from .progress import Display
from .scheduler import JobFailed


def run_command(
    body: Callable[[], int], display: Display, command: str, after_failure: str = ''
) -> int:
    """Call ``body``; SIGTERM interrupts it as Ctrl-C does.

    Args:
        body: Gives the exit status.
        display: Closed before an error is printed.
        command: What continues an interrupted run.
        after_failure: Printed below the error of a failed job.

    Returns:
        That of ``body``, 2 for an error, 130 for an interrupt.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return body()
    except (ValueError, RuntimeError, OSError) as error:
        display.say()
        print(f'error: {error}', file=sys.stderr)
        if after_failure and isinstance(error, JobFailed):
            print(after_failure, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        display.say()
        print(f'Interrupted. Finished jobs are kept; to resume:\n  {command}', file=sys.stderr)
        return 130


def _interrupt(number, frame):
    raise KeyboardInterrupt
