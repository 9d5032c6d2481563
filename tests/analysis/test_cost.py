"""Hours of recipes, and the harness on a tiny config."""

import json

import pytest
import torch
from helpers import configs, data, tiny, tools
from mmengine.config import Config

from mmmim.analysis import cost


def test_hours_of_a_recipe():
    """CAE, Table 10: 625 steps of 2048 images an epoch; 0.4 s a step would be 111 hours."""
    assert cost.hours(0.4, 1600, 1_281_167, 32, 64) == pytest.approx(0.4 * 625 * 1600 / 3600)
    with pytest.raises(ValueError, match='10 images make no batch of 2 x 8'):
        cost.hours(1.0, 1, 10, 2, 8)


@pytest.fixture
def config(tmp_path):
    """A tiny BEiT, whose tokenizer's file is missing."""
    wanted = 'demo/beit_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px'
    small = tiny.shrink(configs.load(configs.CONFIGS / f'{wanted}.py'))
    content = dict(
        model=data.runnable_model(Config(small), tmp_path).to_dict(),
        train_dataloader=dict(dataset=small['dataset']),
        optim_wrapper=small['optim_wrapper'],
        train_cfg=dict(by_epoch=True, max_epochs=3),
        default_scope='mmpretrain',
    )
    assert not (tmp_path / 'absent').exists()
    content['model']['target']['tokenizer']['checkpoint'] = str(tmp_path / 'absent')
    path = tmp_path / 'tiny.py'
    path.write_text('\n'.join(f'{key} = {value!r}' for key, value in content.items()))
    return path


def test_steps_are_timed_and_weights_change(config):
    row = cost.measure(config, 4, 3, 1, 'cpu')
    assert row['config'] == 'tiny' and row['epochs'] == 3
    assert row['seconds'] > 0 and row['se'] >= 0
    assert row['memory_mib'] > 100  # of the process
    assert row['clock'] == 'wall time'
    assert cost.measure(config, 4, 1, 0, 'cpu', threads=1)['clock'] == 'CPU time'


def test_views_have_the_sizes_of_the_config(config):
    batch = cost.drawn_batch(Config.fromfile(config), 3)['inputs']
    sizes = {name: tuple(value.shape) for name, value in batch.items() if value.dim() == 4}
    assert sizes == dict(image=(3, 3, 32, 32), tokenizer=(3, 3, 16, 16))
    assert batch['image'].dtype == torch.uint8
    with pytest.raises(ValueError, match='is no pre-training on unlabelled images'):
        cost.drawn_batch(Config(dict(train_dataloader=dict(dataset=dict(type='CocoDataset')))), 1)


def test_the_tool_writes_a_table(config, tmp_path, monkeypatch, capsys):
    tool = tools.load('benchmarks/cost.py')
    monkeypatch.setattr(tool, 'measure_apart', lambda path, args, argv: cost.measure(
        path, args.batch_size, args.steps, args.warm_up, 'cpu'))  # fmt: skip
    words = [str(config), '--batch-size', '4', '--gpus', '2', '--images', '80', '--epochs', '10']
    tool.main([*words, '--steps', '2', '--warm-up', '1', '--out', str(tmp_path)])
    (row,) = json.loads((tmp_path / 'cost.json').read_text())
    assert row['hours'] == pytest.approx(row['seconds'] * 10 * 10 / 3600)
    text = (tmp_path / 'cost.md').read_text()
    assert text.strip() == capsys.readouterr().out.strip()
    assert '| tiny | 10 |' in text and 'effective batch 8' in text


@pytest.mark.long
def test_a_process_measures_and_a_failure_is_a_sentence(config, tmp_path):
    words = ['--batch-size', '2', '--steps', '1', '--warm-up', '0', '--device', 'cpu']
    sizes = ['--images', '64', '--out', str(tmp_path)]
    assert tools.call('benchmarks/cost.py', config, *words, *sizes) is None
    assert (tmp_path / 'cost.json').is_file()
    ended = tools.call('benchmarks/cost.py', tmp_path / 'no.py', *words)
    assert ended.startswith('error: there is no config file')
