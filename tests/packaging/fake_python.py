"""Stands in for the interpreter of an environment: it records what the set-up asks of pip.

The folder FAKE_STATE holds the state: ``torch`` (why the installed torch is refused; absent if it
stays), ``bad-wheels`` (contents of wheels whose ops do not run), ``fail`` (a word of the pip
command that fails, and what it then prints), ``family`` (packages of the other family),
``version`` (of Python), ``slow`` (compiling takes long), ``calls`` (pip commands so far), ``mmcv``
(content of the installed wheel).
"""

import os
import shutil
import sys
import time
from pathlib import Path

STATE = Path(os.environ['FAKE_STATE'])
ROOT = Path(__file__).resolve().parents[2]


def read(name):
    path = STATE / name
    return path.read_text() if path.exists() else ''


def pip(arguments):
    """Record the command, fail if it is told to, and do what later steps look at."""
    command = ' '.join(arguments)
    with open(STATE / 'calls', 'a') as calls:
        calls.write(command + '\n')
    word, _, output = read('fail').partition('\n')
    # A clone may lie in a folder whose name holds the word.
    if word and word in command.replace(str(ROOT), ''):
        print(output)
        return 1
    if arguments[0] == 'wheel' and read('slow'):
        (STATE / 'compiling').write_text(str(os.getpid()))
        time.sleep(60)
    if arguments[0] == 'wheel':
        folder = Path(arguments[arguments.index('--wheel-dir') + 1])
        folder.mkdir(parents=True)
        print('  [1/2] c++ a.cpp\n  [2/2] c++ b.cpp')
        (folder / 'onedl_mmcv-0-py3-none-any.whl').write_text('compiled')
    elif arguments[-1].endswith('.whl'):
        shutil.copy(arguments[-1], STATE / 'mmcv')
    elif 'torch==' in command:
        (STATE / 'torch').unlink(missing_ok=True)
    return 0


def ops():
    content = read('mmcv')
    if content and content not in read('bad-wheels').splitlines():
        return 0
    print('ImportError: undefined symbol')
    return 1


def probe(command, arguments):
    """The commands of setup_probe.py that look at the environment; None for those that do not."""
    sys.path.insert(0, str(ROOT / 'tools' / 'misc'))
    import setup_probe

    if command == 'torch':
        print(read('torch') or 'torch is kept')
        return 1 if read('torch') else 0
    if command in ('ops', 'mmcv'):
        return ops()
    if command == 'wheel-key':
        print('key' + os.environ.get('FORCE_CUDA', ''))
        return 0
    if command == 'family':
        print(read('family'))
        return 1 if read('family') else 0
    if command == 'ready':
        stamp = Path(arguments[0]) / 'stamp'
        same = stamp.exists() and stamp.read_text().strip() == setup_probe.stamp()
        print('' if same else 'the pins have changed')
        return ops() if same else 1
    sys.argv = ['setup_probe.py', command, *arguments]
    return setup_probe.main()


def main(arguments):
    if arguments[:2] == ['-m', 'pip']:
        return pip(arguments[2:]) if arguments[2] != '--version' else 0
    if arguments[0].endswith('setup_probe.py'):
        return probe(arguments[1], arguments[2:])
    if 'sys.prefix' in arguments[-1]:
        print(STATE / 'venv')
    elif 'version_info' in arguments[-1]:
        print(read('version') or '3.11')
    elif 'import cv2' in arguments[-1]:
        return 0
    else:
        os.execv(sys.executable, [sys.executable, *arguments])
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
