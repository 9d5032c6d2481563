"""``kill -9`` at random moments, saving included: resumed, a run ends bit for bit as undisturbed.

The long form kills tools/train.py itself twenty times, on a pre-training config:

    bash tools/run_tests.sh -m long -n 0 tests/engine/test_kills.py
"""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from restless import restless_config

from mmmim.engine.checkpoints import newest_intact
from mmmim.engine.runner import Runner

sys.path.append(str(Path(__file__).parents[1] / 'tools'))

ITERATIONS = 36


def config(folder, **changes):
    keys = restless_config(folder, epochs=6, accumulation=2, **changes)
    keys['default_hooks']['checkpoint'] = dict(
        type='mmmim.CheckpointHook', interval=3, by_epoch=False, max_keep_ckpts=2
    )
    return keys


def slow_down(model, started):
    """Steps and writing take a while, so that a random moment finds either."""
    save, forward = torch.save, model.forward

    class InPieces:
        def __init__(self, file):
            self.file = file

        def write(self, data):
            time.sleep(0.0001)
            return self.file.write(data)

        def flush(self):
            self.file.flush()

    def slow_forward(*args, **kwargs):
        started.set()
        time.sleep(0.01)
        return forward(*args, **kwargs)

    torch.save = lambda content, file: save(content, InPieces(file))
    model.forward = slow_forward


def child(folder, started, seed):
    """Train, resuming what is there; told apart from the others by the name of its log."""
    with open(os.devnull, 'w') as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    runner = Runner(**config(folder, resume=True, log_level='ERROR'))
    slow_down(runner.model, started)
    runner.train()


def leftovers(folder):
    return {name for name in os.listdir(folder) if '.pth' in name}


def torn_files(folder):
    return [name for name in leftovers(folder) if name.endswith('.tmp')]


def test_random_kills(tmp_path):
    context, rng = multiprocessing.get_context('fork'), random.Random(5)
    whole = Runner(**config(tmp_path / 'whole'))
    whole.train()
    folder, torn, reached = tmp_path / 'part', 0, []
    for attempt in range(6):
        started = context.Event()
        process = context.Process(target=child, args=(folder, started, attempt))
        process.start()
        while process.is_alive() and not started.wait(0.1):
            pass
        if process.exitcode == 0:  # the last kill came after the last iteration was saved
            break
        if attempt % 2:  # every other time while a file is being written
            while process.is_alive() and not torn_files(folder):
                time.sleep(0.001)
        else:
            time.sleep(rng.uniform(0.0, 0.5))
        process.kill()  # which may have ended by itself just now
        process.join()
        torn += bool(torn_files(folder))
        newest = newest_intact(str(folder))
        reached.append(0 if newest is None else torch.load(newest)['meta']['iter'])
    assert torn, 'no kill hit the writing of a file'
    assert reached == sorted(reached) and reached[-1] > 0
    last = Runner(**config(folder, resume=True))
    last.train()
    assert last.iter == ITERATIONS
    names = {'iter_33.pth', 'iter_36.pth'}
    assert leftovers(folder) == leftovers(tmp_path / 'whole') == names
    ends = [torch.load(tmp_path / x / 'iter_36.pth', weights_only=True) for x in ('whole', 'part')]
    for part in ('state_dict', 'ema_state_dict'):
        assert all(torch.equal(ends[0][part][key], ends[1][part][key]) for key in ends[0][part])
    moments = [end['optimizer']['state'] for end in ends]
    assert all(torch.equal(a['exp_avg'], b['exp_avg']) for a, b in zip(*map(dict.values, moments)))


EVERY_ITERATION = """
train_cfg = dict(max_epochs=40)
default_hooks = dict(
    checkpoint=dict(interval=5, by_epoch=False), logger=dict(interval=1)
)
optim_wrapper = dict(type='mmmim.AmpOptimWrapper')
train_dataloader.update(num_workers=2, prefetch_factor=2, persistent_workers=True)
"""


@pytest.mark.long
def test_twenty_kills_of_the_tool(tmp_path):
    from recipes import PRETRAIN, TOOLS, make_images, write_config

    data = make_images(tmp_path / 'data')
    path = write_config(tmp_path, PRETRAIN, 'mae_killed', data, EVERY_ITERATION)
    env = {**os.environ, 'OMP_NUM_THREADS': '1'}

    def start(folder, log):
        words = [sys.executable, '-u', f'{TOOLS}/train.py', path, '--work-dir', folder, '--resume']
        return subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, env=env)

    with open(tmp_path / 'whole.log', 'w') as log:
        assert start(str(tmp_path / 'whole'), log).wait(600) == 0
    rng = random.Random(7)
    for attempt in range(20):
        name = tmp_path / f'{attempt}.log'
        with open(name, 'w') as log:
            process = start(str(tmp_path / 'part'), log)
            while 'Epoch' not in name.read_text() and process.poll() is None:
                time.sleep(0.05)
            time.sleep(rng.uniform(0.0, 1.5))
            process.send_signal(signal.SIGKILL)
            process.wait()
    with open(tmp_path / 'last.log', 'w') as log:
        assert start(str(tmp_path / 'part'), log).wait(600) == 0
    name = Path((tmp_path / 'whole/last_checkpoint').read_text()).name
    ends = [torch.load(tmp_path / x / name, weights_only=True) for x in ('whole', 'part')]
    for key, value in ends[0]['state_dict'].items():
        assert torch.equal(value, ends[1]['state_dict'][key]), key
    encoders = [
        torch.load(tmp_path / x / 'encoder.pth', weights_only=True) for x in ('whole', 'part')
    ]
    for key, value in encoders[0]['state_dict'].items():
        assert torch.equal(value, encoders[1]['state_dict'][key]), key
