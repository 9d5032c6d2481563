"""The check mode: who is there, and one sum, before any data is touched."""

import io
import os

from mmmim.engine.launch import train
from mmmim.engine.launch_check import check_launch, interfaces


def test_one_process():
    out = io.StringIO()
    check_launch(out)
    first, second = out.getvalue().splitlines()
    assert first.startswith('rank 0 of 1  host ') and f'pid {os.getpid()}' in first
    assert 'lo 127.0.0.1' in first and ('CPU' in first or 'cuda:' in first)
    assert second.startswith('1 of 1 processes met ')


def test_the_loopback_interface_is_found():
    assert 'lo 127.0.0.1' in interfaces()


def test_data_and_model_are_not_touched(tmp_path, capsys):
    """Not even the types of the config are looked up."""
    path = tmp_path / 'config.py'
    path.write_text(
        "model = dict(type='Nowhere')\ntrain_dataloader = dict(dataset=dict(type='None'))\n"
    )
    assert train([str(path), '--check-launch', '--work-dir', str(tmp_path / 'w')]) == 0
    assert '1 of 1 processes met' in capsys.readouterr().out
    assert not (tmp_path / 'w').exists()
