"""Python that has imported the toolkit already: a process that forks for each command.

Most of a command's time goes into imports, and the pages have a hundred commands.
"""

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
import traceback
from pathlib import Path

MODULES = 'mmmim.models mmmim.datasets mmmim.engine.launch mmmim.api mmpretrain mmdet.apis mmseg'
OWN = ('doctor', 'startup.py', 'torchrun.py')  # what looks at its own start


class Warm:
    """The server.

    Attributes:
        path: Of its socket, for :func:`ask`.
    """

    def __init__(self, folder: Path, env: dict):
        self.path = str(folder / 'warm')
        self.process = subprocess.Popen([sys.executable, __file__, self.path], env=env)
        while not os.path.exists(self.path):
            assert self.process.poll() is None, 'the imports failed'
            time.sleep(0.2)

    def close(self):
        self.process.terminate()
        self.process.wait()


def ask(path: str, words: list[str]) -> int:
    """Have the server run ``python WORDS`` with our folder, environment, input and output.

    Returns:
        The exit status.
    """
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        request = json.dumps([words, os.getcwd(), dict(os.environ)]).encode() + b'\n'
        sent = socket.send_fds(line, [request], [0, 1, 2])
        line.sendall(request[sent:])
        answer = line.recv(16)
    return int(answer) if answer else 1


def serve(path: str) -> None:
    """Import, then fork a child per request, for ever."""
    for name in MODULES.split():
        __import__(name)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path + '.new')
    server.listen(8)
    os.rename(path + '.new', path)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        line, _ = server.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            server.close()
            answer(line)
        line.close()


def answer(line) -> None:
    """Run one request in this process, and end it."""
    request, fds, *_ = socket.recv_fds(line, 2**16, 3)
    while not request.endswith(b'\n'):
        request += line.recv(2**16)
    words, folder, env = json.loads(request)
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
        os.close(fd)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    end = os._exit

    def tell(code):
        line.sendall(str(code).encode())
        end(code)

    os._exit = tell  # tools of several processes end so
    code = status(words)
    sys.stdout.flush()
    sys.stderr.flush()
    tell(code)


def status(words: list[str]) -> int:
    """Exit status of ``python WORDS``, run here."""
    try:
        become(words)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def become(words: list[str]) -> None:
    words = [word for word in words if word != '-u']
    if words[0] == '-c':
        sys.argv = ['-c', *words[2:]]
        sys.path.insert(0, '')
        exec(compile(words[1], '<string>', 'exec'), {'__name__': '__main__'})
    elif words[0] == '-m':
        sys.argv = words[1:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(words[1], run_name='__main__', alter_sys=True)
    else:
        sys.argv = words
        sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))
        runpy.run_path(words[0], run_name='__main__')


if __name__ == '__main__':
    serve(sys.argv[1])
