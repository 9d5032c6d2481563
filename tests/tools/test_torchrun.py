"""How nodes meet."""

import importlib.util
import signal
import subprocess
import sys

import pytest
from recipes import TOOLS


@pytest.fixture(scope='module')
def torchrun():
    spec = importlib.util.spec_from_file_location('our_torchrun', TOOLS / 'torchrun.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_node_takes_a_free_port(torchrun):
    env = {}
    assert torchrun.rendezvous(env) == ['--standalone', '--nnodes=1']
    assert env['GLOO_SOCKET_IFNAME'] == 'lo'  # the host's own name need not resolve
    assert '--master-port=4711' in torchrun.rendezvous(dict(PORT='4711'))


def test_several_nodes_meet_at_the_first(torchrun):
    env = dict(NNODES='2', NODE_RANK='1', MASTER_ADDR='10.0.0.1', PORT='4711')
    assert torchrun.rendezvous(env) == [
        '--nnodes=2',
        '--node-rank=1',
        '--master-addr=10.0.0.1',
        '--master-port=4711',
    ]
    with pytest.raises(SystemExit, match='NODE_RANK'):
        torchrun.rendezvous(dict(NNODES='2'))


@pytest.mark.parametrize('words', [[], ['2'], ['0', 'x.py'], ['x.py', '2'], ['-1', 'x.py']])
def test_usage(torchrun, words):
    with pytest.raises(SystemExit, match='usage'):
        torchrun.main(words, {})


@pytest.mark.parametrize('code', [0, 2, 85])
def test_the_exit_code_of_a_process_comes_through(torchrun, tmp_path, capsys, code):
    """85: saved after a signal, to be resumed."""
    script = tmp_path / 'ends.py'
    script.write_text(f'raise SystemExit({code})')
    env = dict(OMP_NUM_THREADS='1')
    assert torchrun.main(['1', str(script)], env) == code
    out = capsys.readouterr()
    assert out.err == (f'error: process 0 ended with code {code}.\n' if code == 2 else '')
    assert ('--resume' in out.out) == (code == 85)


@pytest.mark.parametrize('name', ['SIGTERM', 'SIGUSR1'])
def test_signals_reach_the_processes(tmp_path, name):
    """They have all the time they need, and their code becomes that of torchrun."""
    script = tmp_path / 'waits.py'
    script.write_text(
        'import os, signal, sys, time\n'
        'def leave(*_):\n'
        '    time.sleep(0.5)\n'
        '    os._exit(85)\n'
        f'signal.signal(signal.{name}, leave)\n'
        'os.write(1, b"ready\\n")\n'  # whole, whatever the other process writes
        'time.sleep(60)\n'
    )
    process = subprocess.Popen(
        [sys.executable, TOOLS / 'torchrun.py', '2', script], stdout=subprocess.PIPE, text=True
    )
    for _ in range(2):
        assert process.stdout.readline() == 'ready\n'
    process.send_signal(getattr(signal, name))
    assert process.wait(30) == 85
    assert '--resume' in process.stdout.read()
