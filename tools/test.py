#!/usr/bin/env python
"""Evaluate a checkpoint of any of the four kinds: ``test.py CONFIG CHECKPOINT [options]``."""

import os
import sys

# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

if __name__ == '__main__':
    try:
        from mmmim.engine.environment import leave
        from mmmim.engine.launch import test
    except RuntimeError as error:  # the packages underneath are missing or too old
        sys.exit(f'error: {error}')
    leave(test())
