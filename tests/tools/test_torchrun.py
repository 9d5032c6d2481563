"""How nodes meet."""

import importlib.util

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
    """85 will mean: stopped by a signal, to be resumed."""
    script = tmp_path / 'ends.py'
    script.write_text(f'raise SystemExit({code})')
    env = dict(OMP_NUM_THREADS='1')
    assert torchrun.main(['1', str(script)], env) == code
    assert capsys.readouterr().err == (
        f'error: process 0 ended with code {code}.\n' if code else ''
    )
