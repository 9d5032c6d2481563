#!/usr/bin/env python
"""Train a self-supervisor, classifier, detector or segmentor: ``train.py CONFIG [options]``."""

import os
import signal
import sys

# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Remember:
    """Note a signal of a pre-emption until mmmim.PreemptionHook can finish a step and save.

    It comes at any time, while packages are imported too, and must not end one process of several;
    and the launcher of some that have left may send another to the last one.
    """

    received = None

    def __call__(self, number, frame):
        self.received = number


if __name__ == '__main__':
    if '--check-launch' not in sys.argv:  # which may hang, and has nothing to save
        remember = Remember()
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, remember)
    try:
        from mmmim.engine.environment import leave, leave_at_once
        from mmmim.engine.launch import train
    except RuntimeError as error:  # the packages underneath are missing or too old
        sys.exit(f'error: {error}')
    code = train()
    if code == 85:  # saved after a signal; the launcher may kill who does not leave at once
        leave_at_once(code)
    leave(code)
