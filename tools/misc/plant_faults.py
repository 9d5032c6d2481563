"""Plant known mistakes, one at a time, into a copy of the source, and see the tests turn red.

    python tools/misc/plant_faults.py            # all of them, a few minutes
    python tools/misc/plant_faults.py mask loss  # those whose name contains one of the words
    python tools/misc/plant_faults.py --list

A test suite that cannot fail proves nothing; this is its test. The untouched copy must be green
first. Exit status 1 if any fault stays unnoticed or can no longer be planted.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from planted_faults import FAULTS, PENDING, Fault

ROOT = Path(__file__).resolve().parents[2]
COPIED = ('mmmim', 'configs', 'tools', 'tests', 'setup.cfg')
GREEN, RED = 0, 1  # pytest's exit codes; others mean that the tests did not run
LIMIT = 300  # seconds per fault


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('words', nargs='*', help='only faults whose name contains one of these')
    parser.add_argument('--list', action='store_true', help='print the names and stop')
    parser.add_argument('--root', type=Path, default=ROOT, help='checkout to work on a copy of')
    return parser.parse_args(argv)


def copy_tree(root: Path, target: Path) -> Path:
    """Copy what the tests need; links of the packaging stay links."""
    target.mkdir(parents=True)
    for name in COPIED:
        source = root / name
        if not source.exists():
            raise FileNotFoundError(f'{source} is missing: run this from a full checkout.')
        if source.is_dir():
            ignore = shutil.ignore_patterns('__pycache__')
            shutil.copytree(source, target / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(source, target / name)
    return target


def plant(fault: Fault, tree: Path) -> dict[Path, str]:
    """Apply a fault to a tree.

    Returns:
        The files as they were.

    Raises:
        ValueError: If a text to change is not there exactly once.
    """
    before = {tree / file: (tree / file).read_text() for file, _, _ in fault.edits}
    after = dict(before)
    for file, old, new in fault.edits:
        count = after[tree / file].count(old)
        if count != 1:
            raise ValueError(f'{old!r} occurs {count} times in {file}: adapt the fault.')
        after[tree / file] = after[tree / file].replace(old, new)
    for path, text in after.items():
        path.write_text(text)
    return before


class Recorder:
    """Pytest plugin: writes the first failure to a file."""

    def __init__(self, path: Path):
        self.path = path

    def pytest_runtest_logreport(self, report):
        if report.failed and not self.path.exists():
            self.path.write_text(report.nodeid)


def preload():
    """Import once what every run needs, so that a run is a fork; nothing of our own."""
    import mmengine.optim  # noqa: F401
    import mmengine.runner  # noqa: F401
    import mmpretrain.models  # noqa: F401
    import pytest  # noqa: F401

    try:
        import timm  # noqa: F401
        from transformers.models.vit_mae import modeling_vit_mae  # noqa: F401
    except ImportError:
        pass  # the parity tests say so
    if any(name.split('.')[0] == 'mmmim' for name in sys.modules):
        raise RuntimeError('mmmim was imported already: the copy would not be the one tested.')


def run_tests(tree: Path, tests, log: Path, stop: bool = True) -> tuple[int, str]:
    """Run tests of a tree in a forked process.

    Returns:
        (pytest's exit code, the first test that failed). A run beyond the limit has the code -1.
    """
    first = log.with_suffix('.first')
    first.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        os._exit(_child(tree, tests, log, first, stop))
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            name = first.read_text() if first.exists() else ''
            return os.waitstatus_to_exitcode(status), name
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -1, ''


def _child(tree, tests, log, first, stop) -> int:
    with open(log, 'w') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    if any('contracts/test_pretraining' in test for test in tests):
        # One method's configs have the faults of the common parts; all would take minutes.
        os.environ['MMMIM_CONFIGS'] = str(tree / 'configs' / 'robust_mae')
    sys.dont_write_bytecode = True  # a patched file may keep size and second of the old one
    os.environ['PYTHONPATH'] = str(tree)
    import pytest

    import mmmim

    if Path(mmmim.__file__).parent != tree / 'mmmim':
        print(f'testing {mmmim.__file__} instead of the copy')
        return -2
    options = ['-q', '-p', 'no:cacheprovider', '-W', 'ignore', '--tb=short', '--rootdir', '.']
    options += ['-x'] if stop else []
    return int(pytest.main([*options, *tests], plugins=[Recorder(first)]))


def try_fault(fault: Fault, tree: Path, log: Path) -> tuple[bool, str]:
    """Whether the tests notice a fault, and how."""
    try:
        before = plant(fault, tree)
    except ValueError as error:
        return False, f'not planted: {error}'
    code, first = run_tests(tree, fault.tests, log)
    for path, text in before.items():
        path.write_text(text)
    if code == RED and first:
        return True, first
    reason = 'the tests stayed green' if code == GREEN else f'the tests did not run ({code})'
    return False, f'{reason}: {" ".join(fault.tests)}\n{_tail(log) if code != GREEN else ""}'


def _tail(log: Path, lines: int = 15) -> str:
    return '\n'.join(log.read_text().splitlines()[-lines:])


def main(argv=None) -> int:
    args = parse_args(argv)
    chosen = [f for f in FAULTS if not args.words or any(w in f.name for w in args.words)]
    if args.list or not chosen:
        print('\n'.join(fault.name for fault in FAULTS))
        print('\n'.join(f'pending: {name}, waits for {part}' for name, part in PENDING.items()))
        return 0 if args.list else 2
    preload()
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_tree(args.root, Path(folder).resolve() / 'tree')
        log = tree.parent / 'pytest.log'
        tests = sorted({test for fault in chosen for test in fault.tests})
        code, first = run_tests(tree, tests, log, stop=False)
        if code != GREEN:
            print(f'the tests fail without any fault ({first or code}):\n{_tail(log)}')
            return 1
        missed = 0
        for fault in chosen:
            noticed, how = try_fault(fault, tree, log)
            missed += not noticed
            print(f'{"red  " if noticed else "GREEN"}  {fault.name}: {how}', flush=True)
    for name, part in PENDING.items():
        print(f'pending  {name}: waits for {part}')
    print(f'{len(chosen) - missed} of {len(chosen)} faults turned the tests red')
    return int(missed > 0)


if __name__ == '__main__':
    sys.exit(main())
