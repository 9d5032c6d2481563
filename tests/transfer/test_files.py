"""Files are read without running what is pickled inside them."""

import argparse
import builtins
import os
import pathlib

import numpy as np
import pytest
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.runner import Runner
from torch import nn

from mmmim.engine.checkpoints import write_file
from mmmim.transfer import read_checkpoint


class Bomb:
    """Leaves a trace if it is unpickled for real."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)


class Probe:
    """Asks the reader for an attribute of something it trusts."""

    def __init__(self, owner, name):
        self.owner, self.name = owner, name

    def __reduce__(self):
        return builtins.getattr, (self.owner, self.name)


def test_foreign_pickle_is_refused_unless_allowed(tmp_path):
    trace, path = tmp_path / 'trace', tmp_path / 'bomb.pth'
    torch.save(dict(state_dict=dict(a=torch.ones(1)), extra=Bomb(trace)), path)
    with pytest.raises(ValueError, match='bomb.pth.*could run code.*mkdir.*allow_pickle'):
        read_checkpoint(path)
    assert not trace.exists()
    read_checkpoint(path, allow_pickle=True)
    assert trace.exists()


@pytest.mark.parametrize(
    'owner, name',
    [(HistoryBuffer, '__init__'), (HistoryBuffer, '__globals__'), (np.ndarray, 'max')],
)
def test_lookups_beyond_the_methods_of_logs_are_refused(tmp_path, owner, name):
    path = tmp_path / 'probe.pth'
    if name == '__globals__':
        name = '__subclasses__'
    torch.save(dict(state_dict=dict(a=torch.ones(1)), extra=Probe(owner, name)), path)
    with pytest.raises(ValueError, match='could run code'):
        read_checkpoint(path)


def test_options_of_research_code_are_read(tmp_path):
    path = tmp_path / 'mae.pth'
    options = argparse.Namespace(lr=0.1, output_dir=pathlib.Path('out'), best=np.float64(3.5))
    extra = dict(args=options, curve=np.arange(3.0), epoch=np.int64(7))
    torch.save(dict(model=dict(a=torch.ones(2)), **extra), path)
    content = read_checkpoint(path)
    assert content['args'].lr == 0.1 and content['args'].best == 3.5
    assert content['curve'].tolist() == [0, 1, 2] and content['epoch'] == 7


@pytest.mark.parametrize(
    'content, told',
    [
        (b'{"images": []}', 'a JSON file'),
        (b'<!DOCTYPE html>', 'a web page'),
        (b'version https://git-lfs.github.com/spec/v1', 'git lfs pull'),
        (b'\x89PNG\r\n\x1a\n\0', 'an image'),
        (b'some words', 'a text file'),
    ],
)
def test_what_is_no_checkpoint_is_told_by_what_it_is(tmp_path, content, told):
    for name in ('a.pth', 'a.safetensors'):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f'{name} is no readable checkpoint: .*{told}'):
            read_checkpoint(tmp_path / name)


def test_a_damaged_file_is_told_by_its_checksum(tmp_path):
    path = tmp_path / 'encoder.pth'
    write_file(path, dict(state_dict=dict(a=torch.ones(64))))
    content = bytearray(path.read_bytes())
    at = content.index(torch.ones(2).numpy().tobytes())
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    torch.load(path, weights_only=True)  # to whom it is as good as before
    with pytest.raises(ValueError, match='encoder.pth is damaged'):
        read_checkpoint(path)


def test_reading_leaves_the_list_of_allowed_objects_as_it_was(tmp_path):
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict=dict(a=torch.ones(1)), best=np.float64(1)), path)
    before = set(torch.serialization.get_safe_globals())
    read_checkpoint(path)
    assert set(torch.serialization.get_safe_globals()) == before


class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def train_step(self, data, optim_wrapper):
        loss = self.layer(torch.stack(list(data))).mean()
        optim_wrapper.update_params(loss)
        return dict(loss=loss.detach())


def test_checkpoint_of_a_run_is_read(tmp_path):
    runner = Runner(
        model=Toy(),
        work_dir=str(tmp_path),
        train_dataloader=dict(
            dataset=[torch.ones(2)] * 4,
            batch_size=2,
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='pseudo_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.1)),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
        experiment_name='toy',
        log_level='ERROR',
    )
    runner.train()
    path = tmp_path / 'epoch_1.pth'
    with pytest.raises(Exception, match='HistoryBuffer|GLOBAL'):
        torch.load(path, weights_only=True)  # why this needs care at all
    content = read_checkpoint(path)
    assert content['state_dict']['layer.weight'].equal(runner.model.layer.weight)
    log = content['message_hub']['log_scalars']['train/loss']
    assert isinstance(log, HistoryBuffer) and len(log.data[0]) == 2


def test_safetensors_and_urls_are_read(tmp_path, monkeypatch):
    safetensors = pytest.importorskip('safetensors.torch')
    state = dict(a=torch.arange(3.0))
    safetensors.save_file(state, tmp_path / 'x.safetensors')
    assert read_checkpoint(tmp_path / 'x.safetensors')['a'].equal(state['a'])
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    torch.save(state, tmp_path / 'x.pth')
    assert read_checkpoint((tmp_path / 'x.pth').as_uri())['a'].equal(state['a'])
    assert (tmp_path / 'hub/checkpoints/x.pth').exists()


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere.pth does not exist'):
        read_checkpoint(tmp_path / 'nowhere.pth')
    for name, content in {'text.pth': b'hello', 'empty.pth': b'', 'cut.pth': None}.items():
        path = tmp_path / name
        if content is None:
            torch.save(dict(a=torch.ones(1000)), tmp_path / 'whole.pth')
            content = (tmp_path / 'whole.pth').read_bytes()[:2000]
        path.write_bytes(content)
        told = 'no readable checkpoint' if name == 'text.pth' else 'damaged: the file is cut off'
        with pytest.raises(ValueError, match=f'{name} is {told}') as refused:
            read_checkpoint(path)
        assert 'weights_only' not in str(refused.value)
