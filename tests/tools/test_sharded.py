"""FSDP2 on two processes: the training of one process, and its checkpoints."""

import pytest
import torch
from recipes import PRETRAIN, make_images, write_config
from splits import SignalAtUpdate, differences, results, run, without_key_bias

from mmmim.engine.sharded import AVAILABLE

if not AVAILABLE:
    pytest.skip('FullyShardedModel needs torch 2.7', allow_module_level=True)

EXTRA = """
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=2)
hooks = ('GradientRecorder', 'SignalAtUpdate')
custom_hooks = [dict(type=f'mmmim.{name}') for name in hooks]
default_hooks['checkpoint'] = dict(by_epoch=False, interval=3, max_keep_ckpts=-1)
"""
SHARDED = dict(model_wrapper_cfg__type='mmmim.FullyShardedModel')


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('sharded')
    return write_config(folder, PRETRAIN, 'mae_sharded', make_images(folder / 'data'), EXTRA)


@pytest.fixture(scope='module')
def whole(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp('whole')
    run(config, folder, 1, train_dataloader__batch_size=16)
    return folder


def last(folder):
    return torch.load((folder / 'last_checkpoint').read_text(), weights_only=True)


@pytest.mark.parametrize('accumulation', [1, pytest.param(2, marks=pytest.mark.long)])
def test_sharded_equals_one_process(config, whole, tmp_path, accumulation):
    """Losses, gradients, weights, and the very same layout of the checkpoint."""
    run(config, tmp_path, 2, train_dataloader__batch_size=8 // accumulation, **SHARDED)
    found = differences(results(whole, 1), results(tmp_path, accumulation))
    assert found[0] < 1e-6 and found[1] < 1e-5 and found[2] < 1e-6, found
    assert spread(tmp_path) and not spread(whole)
    one, two = last(whole), last(tmp_path)
    for part in ('state_dict', 'optimizer'):
        assert layout(one[part]) == layout(two[part])
    encoders = [
        torch.load(folder / 'encoder.pth', weights_only=True) for folder in (whole, tmp_path)
    ]
    assert layout(encoders[0]) == layout(encoders[1])


def layout(value):
    """Nested keys with shapes and types."""
    if isinstance(value, torch.Tensor):
        assert type(value) is torch.Tensor
        return tuple(value.shape), value.dtype
    if isinstance(value, dict):
        return {key: layout(item) for key, item in value.items() if key != 'time'}
    return type(value)


def spread(folder):
    """Whether the last start of a run was with FSDP2."""
    (*_, log) = sorted(folder.glob('*/*.log'))
    return 'FSDP2: ' in log.read_text()


def same_weights(one, other):
    states = [last(folder)['state_dict'] for folder in (one, other)]
    for name in states[0]:
        a, b = (without_key_bias(name, state[name]) for state in states)
        assert torch.allclose(a, b, rtol=0, atol=1e-6), name


@pytest.mark.long
@pytest.mark.parametrize('sharded_first', [True, False])
def test_either_resumes_the_other(config, whole, tmp_path, monkeypatch, sharded_first):
    for resumed, sharded in enumerate((sharded_first, not sharded_first)):
        monkeypatch.setattr(SignalAtUpdate, 'update', None if resumed else 2)
        words = dict(train_dataloader__batch_size=4 if sharded else 16, **SHARDED)
        more = ['--resume'] if resumed else []
        run(config, tmp_path, 1 + sharded, *more, code=0 if resumed else 85, **words)
        assert spread(tmp_path) == sharded
    same_weights(whole, tmp_path)


def test_gradients_of_an_unfinished_accumulation_are_spread_again(config, whole, tmp_path):
    words = dict(train_dataloader__batch_size=4, **SHARDED)
    run(config, tmp_path / 'first', 2, **words)
    middle = tmp_path / 'first/iter_3.pth'
    assert torch.load(middle, weights_only=True)['run_state']['gradients']
    run(config, tmp_path / 'rest', 2, '--resume', middle, **words)
    same_weights(whole, tmp_path / 'rest')
