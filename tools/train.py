#!/usr/bin/env python
"""Train a self-supervisor, classifier, detector or segmentor: ``train.py CONFIG [options]``."""

import os
import sys

# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

if __name__ == '__main__':
    try:
        from mmmim.engine.launch import train
    except RuntimeError as error:  # the packages underneath are missing or too old
        sys.exit(f'error: {error}')
    code = train()
    if code == 85:  # saved after a signal; the launcher may kill who does not leave at once
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
