"""CONTRIBUTING.md is run: its files are written down, trained and put through the contracts."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmmim.engine.config_lint import lint
from mmmim.engine.launch import train

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r'^```python file=(\S+)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
RUNS = itertools.count()


@pytest.fixture(scope='module')
def walk(tmp_path_factory):
    """A folder with the files of the page, the toolkit's bases beside them."""
    folder = tmp_path_factory.mktemp('walk')
    for file, text in BLOCK.findall((ROOT / 'CONTRIBUTING.md').read_text()):
        name = Path(file).name if file.startswith('mmmim/') else file
        assert not (ROOT / file).exists(), f'{file} is part of the toolkit by now'
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in ('_base_', 'demo'):
        (folder / 'configs' / name).symlink_to(ROOT / 'configs' / name)
    return folder


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp('images'), np.random.default_rng(0)
    for index in range(8):
        pixels = rng.integers(0, 256, (72, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'{index}.png')
    return folder


def configs(walk):
    return sorted(p for p in walk.glob('configs/*/*.py') if not p.parent.is_symlink())


def test_the_page_has_a_method_a_part_its_test_and_its_use(walk):
    assert [path.parent.name for path in configs(walk)] == ['blockmae', 'charbonnier']
    assert [path.name for path in walk.glob('*.py')] == ['charbonnier.py']
    assert [path.name for path in walk.rglob('test_*.py')] == ['test_charbonnier_loss.py']


def test_its_files_are_in_the_style_of_the_toolkit(walk):
    rules = ['--config', str(ROOT / 'pyproject.toml'), str(walk)]
    for words in (['check'], ['format', '--check']):
        done = subprocess.run(
            [sys.executable, '-m', 'ruff', *words, '--no-cache', *rules],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize('name', ['blockmae', 'charbonnier'])
def test_its_configs_train(walk, images, name, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(walk))
    (config,) = walk.glob(f'configs/{name}/*.py')
    assert lint(str(config)) == []
    loader = dict(batch_size=4, num_workers=0, persistent_workers=False, prefetch_factor=None)
    options = {f'train_dataloader.{key}': value for key, value in loader.items()}
    options['train_dataloader.dataset.data_root'] = images
    options['train_cfg.max_epochs'] = 3
    options['experiment_name'] = f'walk_{next(RUNS)}'
    words = [f'{key}={value}' for key, value in options.items()]
    words = [str(config), '--work-dir', str(tmp_path), '--scale-lr', '--cfg-options', *words]
    assert train(words) == 0
    assert torch.load(tmp_path / 'encoder.pth', weights_only=True)['meta']['iter'] == 6


def test_its_configs_keep_the_contracts_and_its_test_passes(walk):
    path = os.pathsep.join([str(walk), str(ROOT / 'tests')])
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-p', 'charbonnier']
        + ['-n', '0', 'tests/contracts/test_pretraining.py', str(walk / 'tests')],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': path, 'MMMIM_CONFIGS': str(walk / 'configs')},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r'(\d+) passed', done.stdout)[1]) >= 2 * 11 + 2, done.stdout
