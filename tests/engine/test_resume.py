"""A run that is stopped at any iteration and resumed ends bit for bit as the undisturbed one."""

import time

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from restless import restless_config
from torch.utils.data import DataLoader

from mmmim.datasets import EpochSampler
from mmmim.engine.checkpoints.fingerprint import differences, experiment_of
from mmmim.engine.checkpoints.position import skip_batches
from mmmim.engine.errors import CheckpointError
from mmmim.engine.hooks import CheckpointHook
from mmmim.engine.runner import Runner
from mmmim.engine.workers import stop_workers


class Stop(Exception):
    pass


class StopAt(Hook):
    """Saves after an iteration and ends the run there."""

    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            (saver,) = (hook for hook in runner.hooks if isinstance(hook, CheckpointHook))
            saver.save_now(runner)
            raise Stop


def run(folder, stop=None, **words):
    keys = restless_config(folder, **words)
    if stop is not None:
        keys['custom_hooks'] = [*keys['custom_hooks'], StopAt(stop)]
    keys['experiment_name'] += f'-{stop}'
    config = Config({k: v for k, v in keys.items() if k != 'custom_hooks'})
    config.custom_hooks = keys['custom_hooks'][:1]
    runner = Runner(**{**keys, 'cfg': config})
    if stop is None:
        runner.train()
    else:
        with pytest.raises(Stop):
            runner.train()
        stop_workers(runner)
    return runner


def final(runner):
    name = open(f'{runner.work_dir}/last_checkpoint').read()
    content = torch.load(name, weights_only=True)
    content['message_hub'] = content['meta'] = None
    content['run_state'].pop('experiment')
    return content


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b


CASES = {
    'first': (1, {}),
    'mid epoch': (8, {}),
    'end of epoch': (12, {}),
    'accumulation': (8, dict(accumulation=2)),
    'within an accumulation': (9, dict(accumulation=2)),
    'accumulation across epochs': (7, dict(accumulation=4)),
    'workers': (8, dict(workers=2)),
    'iterations': (8, dict(iters=15)),
    'iterations within an accumulation': (7, dict(iters=15, accumulation=3, workers=1)),
}


@pytest.mark.parametrize('case', CASES)
def test_bit_for_bit(tmp_path, case):
    stop, words = CASES[case]
    whole = run(tmp_path / 'whole', **words)
    part = run(tmp_path / 'part', stop=stop, **words)
    rest = run(tmp_path / 'part', resume=True, **words)
    seen = part.model.seen + rest.model.seen
    assert len(seen) == len(whole.model.seen) and same(seen, whole.model.seen)
    assert same(final(whole), final(rest))
    states = [runner.model.state_dict() for runner in (whole, rest)]
    assert same(*map(dict, states))


@pytest.mark.parametrize('words', [{}, dict(iters=12)])
def test_another_split_of_the_same_batch(tmp_path, words):
    """The order of the data goes on where it stood, in smaller micro-batches."""
    whole = run(tmp_path / 'whole', batch=4, **words)
    part = run(tmp_path / 'part', stop=5, batch=4, **words)
    if words:
        words = dict(iters=24)
    rest = run(tmp_path / 'part', batch=2, accumulation=2, resume=True, **words)
    vectors = torch.cat(whole.model.seen)
    assert torch.equal(torch.cat(part.model.seen + rest.model.seen), vectors)


def test_a_batch_that_does_not_fit_the_position(tmp_path):
    run(tmp_path / 'a', stop=5, batch=4)
    hooks = restless_config(tmp_path / 'a')['default_hooks']
    hooks['checkpoint'] = dict(hooks['checkpoint'], changed='warn')
    with pytest.raises(CheckpointError, match='20 samples.*8 per iteration'):
        run(tmp_path / 'a', batch=8, resume=True, default_hooks=hooks)


def test_another_experiment_is_refused_and_shown(tmp_path):
    run(tmp_path / 'a', stop=3)
    optim = dict(type='mmmim.OptimWrapper', optimizer=dict(type='AdamW', lr=0.02))
    words = dict(resume=True, optim_wrapper=optim, train_cfg=dict(by_epoch=True, max_epochs=4))
    with pytest.raises(CheckpointError) as error:
        run(tmp_path / 'a', **words)
    lines = str(error.value).splitlines()
    assert lines[1:3] == [
        '  optim_wrapper.optimizer.lr: 0.01 -> 0.02',
        '  train_cfg.max_epochs: 3 -> 4',
    ]
    assert '--accept-changes' in lines[-1]
    hooks = restless_config(tmp_path / 'a')['default_hooks']
    hooks['checkpoint'] = dict(hooks['checkpoint'], changed='warn')
    assert run(tmp_path / 'a', default_hooks=hooks, **words).iter == 24


def test_what_makes_an_experiment():
    cfg = Config(
        dict(
            model=dict(type='A', depth=2),
            train_dataloader=dict(batch_size=8, num_workers=4, sampler=dict(type='S')),
            optim_wrapper=dict(optimizer=dict(lr=0.1), accumulative_counts=2),
            train_cfg=dict(by_epoch=False, max_iters=20, val_interval=5),
            work_dir='x',
        )
    )
    before = experiment_of(cfg)
    cfg.work_dir, cfg.train_dataloader.num_workers = 'y', 0
    cfg.train_dataloader.batch_size, cfg.optim_wrapper.accumulative_counts = 4, 4
    cfg.train_cfg.max_iters, cfg.train_cfg.val_interval = 40, 10
    assert differences(before, experiment_of(cfg)) == []
    cfg.model.depth = 3
    cfg.model.width = 5
    assert differences(before, experiment_of(cfg)) == [
        'model.depth: 2 -> 3',
        'model.width: (absent) -> 5',
    ]


class Counted(torch.utils.data.Dataset):
    reads = 0

    def __len__(self):
        return 2_000_000

    def __getitem__(self, index):
        self.reads += 1
        return index[1]


def test_going_to_a_position_reads_nothing_and_takes_no_time():
    data = Counted()
    sampler = EpochSampler(data, seed=0)
    expected = sampler.order(0)[1_600_000:1_600_016].tolist()
    loader = DataLoader(data, batch_size=16, sampler=sampler)
    start = time.perf_counter()
    skip_batches(loader, 100_000)
    batches = iter(loader)
    assert next(batches).tolist() == expected and data.reads == 16
    assert time.perf_counter() - start < 20
    assert len(loader) == 125_000
    endless = EpochSampler(data, seed=0, endless=True)
    endless.skip(2_000_000 * 500 + 3)
    assert next(iter(endless)) == (500, int(endless.order(500)[3]))


def test_endless_passes_are_the_epochs_one_after_the_other():
    data = range(10)
    plain, endless = EpochSampler(data, seed=4), EpochSampler(data, seed=4, endless=True)
    expected = []
    for epoch in range(3):
        plain.set_epoch(epoch)
        expected += list(plain)
    draws = iter(endless)
    assert [next(draws) for _ in range(30)] == expected
