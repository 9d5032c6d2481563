"""Checkpoint files are whole or absent, old ones go after the new one is there."""

import errno
import os

import pytest
import torch
from toys import ToyModel, toy_config

from mmmim.engine import disk
from mmmim.engine.errors import CheckpointError, DiskSpaceError
from mmmim.engine.runner import Runner


def files(folder):
    return sorted(name for name in os.listdir(folder) if '.pth' in name)


def test_the_last_ones_are_kept(tmp_path):
    Runner(**toy_config(tmp_path, epochs=4)).train()
    assert files(tmp_path) == ['epoch_3.pth', 'epoch_4.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'epoch_4.pth')


def test_resume_continues_and_keeps_counting(tmp_path):
    Runner(**toy_config(tmp_path / 'a', epochs=4)).train()
    Runner(**toy_config(tmp_path / 'b', epochs=2)).train()
    (tmp_path / 'b' / '.epoch_9.pth.tmp').write_text('left by a killed run')
    resumed = Runner(**toy_config(tmp_path / 'b', epochs=4, resume=True))
    resumed.train()
    assert resumed.iter == 16 and files(tmp_path / 'b') == ['epoch_3.pth', 'epoch_4.pth']
    straight, again = (
        torch.load(tmp_path / name / 'epoch_4.pth', weights_only=True)['state_dict']
        for name in 'ab'
    )
    assert all(torch.equal(straight[key], again[key]) for key in straight)


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    runner = Runner(**toy_config(tmp_path, epochs=3))
    save = torch.save

    def fill_up(content, file):
        if 'run_state' in content and content['meta']['epoch'] == 3:
            file.write(b'half')
            raise OSError(errno.ENOSPC, 'No space left on device')
        save(content, file)

    monkeypatch.setattr(torch, 'save', fill_up)
    with pytest.raises(DiskSpaceError, match=f'disk of {tmp_path} is full.*untouched'):
        runner.train()
    assert files(tmp_path) == ['epoch_1.pth', 'epoch_2.pth']  # both still there, nothing half
    torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    assert (tmp_path / 'last_checkpoint').read_text().endswith('epoch_2.pth')


def test_a_disk_too_small_is_refused_before_the_first_step(tmp_path, monkeypatch):
    runner = Runner(**toy_config(tmp_path))
    usage = os.statvfs(tmp_path)
    assert usage.f_bavail
    monkeypatch.setattr(disk.shutil, 'disk_usage', lambda path: Usage(100))
    with pytest.raises(DiskSpaceError, match='GiB free'):
        runner.train()
    assert runner.model.seen == []


class Usage:
    def __init__(self, free):
        self.free = free


def test_size_estimate_covers_the_file(tmp_path):
    model = torch.nn.Linear(500, 500)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.zeros(1, 500)).sum().backward()
    optimizer.step()
    path = tmp_path / 'x.pth'
    torch.save(dict(model=model.state_dict(), optimizer=optimizer.state_dict()), path)
    size = path.stat().st_size
    assert disk.checkpoint_bytes(model) == pytest.approx(size, rel=0.02)


def test_whole_files(tmp_path):
    path = tmp_path / 'f'
    path.write_text('old')
    with pytest.raises(KeyboardInterrupt), disk.whole_file(str(path)) as temporary:
        with open(temporary, 'w') as file:
            file.write('ne')
        raise KeyboardInterrupt
    assert path.read_text() == 'old' and os.listdir(tmp_path) == ['f']
    with disk.whole_file(str(path)) as temporary:
        with open(temporary, 'w') as file:
            file.write('new')
        assert path.read_text() == 'old'
    assert path.read_text() == 'new' and os.listdir(tmp_path) == ['f']
    # torch's writer reports a full disk as a RuntimeError.
    with pytest.raises(DiskSpaceError), disk.whole_file(str(path)):
        raise RuntimeError('PytorchStreamWriter failed writing file: No space left on device')


def test_no_checkpoint_at_all(tmp_path):
    (tmp_path / 'x.pth').write_text('no pickle')
    runner = Runner(
        **toy_config(tmp_path, model=ToyModel(), load_from=str(tmp_path / 'x.pth'), resume=True)
    )
    with pytest.raises(CheckpointError, match='x.pth'):
        runner.train()
