"""Two processes against one that accumulates, and how the launchers fail."""

import pytest
import torch
from recipes import PRETRAIN, losses, make_images, run_tool, write_config

from mmmim.engine.launch import train as run_train

# SGD: AdamW blows up the rounding of gradients that are zero in truth (the key biases).
SGD = """
optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=0.05, momentum=0.9))
"""


def weights(folder):
    return torch.load(folder / 'epoch_2.pth', weights_only=True)['state_dict']


def test_dist_train_equals_one_process(tmp_path):
    """Through the shell; test_splits.py compares gradients and more splits."""
    config = write_config(tmp_path, PRETRAIN, 'mae_two', make_images(tmp_path / 'data'), SGD)
    two = run_tool(
        'dist_train.sh', config, 2, '--work-dir', tmp_path / 'two', '--cfg-options',
        'train_dataloader.batch_size=4', cwd='/',
    )  # fmt: skip
    assert two.returncode == 0, two.stderr
    assert '2 processes x 4 x 2 = 16, lr 5e-2' in two.stdout + two.stderr
    undivided = ['--cfg-options', 'train_dataloader.batch_size=16']
    assert run_train([config, '--work-dir', str(tmp_path / 'whole'), *undivided]) == 0
    parts = losses(tmp_path / 'two')  # a line per micro-batch
    parts = [(a + b) / 2 for a, b in zip(parts[::2], parts[1::2])]
    assert losses(tmp_path / 'whole') == pytest.approx(parts, abs=1e-6)
    reference = weights(tmp_path / 'two')
    for key, value in weights(tmp_path / 'whole').items():
        assert torch.allclose(value, reference[key], atol=1e-6), key


def test_failure_of_all_processes_is_two_lines(tmp_path):
    done = run_tool('dist_train.sh', 'nowhere.py', 2, cwd=tmp_path)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if 'error' in line.lower()]
    assert lines[0] == "error: there is no config file 'nowhere.py'."
    # Which of the two is noticed first is up to them.
    assert lines[1:] in [[f'error: process {rank} ended with code 2.'] for rank in (0, 1)]
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize(
    'script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh']
)
def test_usage(script, tmp_path):
    done = run_tool(script, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith('usage: ')
