#!/usr/bin/env python
"""Check configs: names, types, keywords, docstrings. Exit code 1 if one is not in order.

python tools/misc/lint_configs.py [FILES]       (all of configs/ without arguments)
"""

import argparse
import os
import sys
from glob import glob

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(ROOT)


def all_configs():
    """Every config but the parts in ``_base_``."""
    found = glob(os.path.join(ROOT, 'configs', '**', '*.py'), recursive=True)
    return sorted(path for path in found if '_base_' not in path.split(os.sep))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('files', nargs='*', help='config files (all of configs/ if none is given)')
    args = parser.parse_args(argv)
    from mmmim.engine.config_lint import lint

    count = 0
    files = args.files or all_configs()
    for path in files:
        for problem in lint(path):
            print(f'{os.path.relpath(path)}: {problem}')
            count += 1
    print(f'{len(files)} configs, {count} problems.')
    return 1 if count else 0


if __name__ == '__main__':
    sys.exit(main())
