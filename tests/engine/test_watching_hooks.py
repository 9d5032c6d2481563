"""Hooks that look at a model in training: what they show, and that they change nothing."""

import copy
import io
import json
import logging
import types
from functools import cache

import numpy as np
import pytest
import torch
from helpers import configs, data, tiny
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from PIL import Image

from mmmim.analysis.representation import effective_rank
from mmmim.engine.hooks import features, holdout
from mmmim.engine.hooks.watching import undisturbed
from mmmim.engine.runner import Runner
from mmmim.visualization.image_grid import ImageGrid

MAE = 'robust-mae-pixel'


@cache
def tiny_of(method):
    path = next(configs.CONFIGS.glob(f'demo/{method}_*'))
    return ConfigDict(tiny.shrink(configs.load(path)))


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Twelve images to train on, and two classes of six."""
    folder = tmp_path_factory.mktemp('files')
    data.make_images(folder / 'images', 12)
    for index, path in enumerate(sorted((folder / 'images').iterdir())):
        target = folder / 'labelled' / 'ab'[index % 2] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder


@cache
def model_of(key, files):
    return data.build_tiny(ConfigDict(json.loads(key)), files)


def make(cfg, files, work_dir, epochs=2, folder='images', **changes):
    """A runner of a tiny pre-training: two batches of six images per epoch."""
    dataset = {**cfg.dataset, 'data_root': str(files / folder), 'cache': None}
    dataset |= {'epoch_length': 12} if 'epoch_length' in dataset else {}
    hooks = dict(
        runtime_info=dict(type='mmmim.LossMeterHook'),
        logger=dict(type='mmmim.ProgressHook', interval=2),
        checkpoint=dict(type='mmmim.CheckpointHook', interval=1),
    )
    keys = dict(
        model=copy.deepcopy(model_of(json.dumps(cfg), files)),
        work_dir=str(work_dir),
        train_dataloader=dict(
            batch_size=6,
            num_workers=0,
            dataset=dataset,
            sampler=dict(type='mmmim.EpochSampler', shuffle=True),
            collate_fn=dict(type='mmmim.collate_views'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3)),
        default_hooks={**hooks, **changes.pop('hooks', {})},
        log_processor=dict(type='mmmim.LogProcessor'),
        default_scope='mmpretrain',
        randomness=dict(seed=0),
        # Visualizers of one name are one: two tests within a second would share it.
        experiment_name=f'{work_dir.parent.name}-{work_dir.name}',
    )
    keys.update(changes)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return Runner(cfg=dict(train_dataloader=keys['train_dataloader']), **keys)


def watchers(files, **changes):
    labelled = str(files / 'labelled')
    measures = dict(count=6, train=labelled, test=labelled, neighbours=3, interval=1)
    return dict(
        reconstruction=dict(type='mmmim.ReconstructionHook', count=2, interval=1),
        holdout=dict(type='mmmim.HoldoutHook', **{**measures, **changes}),
    )


def scalars(runner):
    path = f'{runner.work_dir}/{runner.timestamp}/vis_data/scalars.json'
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file]


def names_in(work_dir):
    return sorted(path.name for path in (work_dir / 'reconstructions').iterdir())


@pytest.mark.parametrize('method', [MAE, 'cae', 'c-mae', 'beyond-masking-zoomin-mask'])
def test_weights_are_bit_for_bit_those_of_a_run_without_hooks(method, files, tmp_path):
    cfg = tiny_of(method)
    plain = make(cfg, files, tmp_path / 'plain')
    plain.train()
    state = torch.get_rng_state()
    watched = make(cfg, files, tmp_path / 'watched', hooks=watchers(files))
    watched.train()
    assert torch.equal(torch.get_rng_state(), state)
    before, after = plain.model.state_dict(), watched.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert 'holdout/knn_top1' in scalars(watched)[-1]


def test_a_resumed_run_draws_the_same_masks_and_ends_alike(files, tmp_path):
    cfg = tiny_of(MAE)
    whole = make(cfg, files, tmp_path / 'whole', hooks=watchers(files))
    whole.train()
    make(cfg, files, tmp_path / 'parts', epochs=1, hooks=watchers(files)).train()
    rest = make(cfg, files, tmp_path / 'parts', hooks=watchers(files), resume=True)
    rest.train()
    sheets = [tmp_path / name / 'reconstructions/last' for name in ('whole', 'parts')]
    first, second = (ImageGrid.load(folder) for folder in sheets)
    for one, other in zip(sum(first.rows, []), sum(second.rows, [])):
        assert np.array_equal(one, other)
    assert names_in(tmp_path / 'parts') == ['epoch_0001.png', 'epoch_0002.png', 'last']


def test_grid_is_what_the_model_reconstructs_of_the_same_images(files, tmp_path):
    cfg = tiny_of(MAE)
    changes = dict(train_cfg=dict(by_epoch=False, max_iters=3))
    hook = dict(type='mmmim.ReconstructionHook', count=3, interval=2)
    runner = make(cfg, files, tmp_path / 'run', hooks=dict(pictures=hook), **changes)
    runner.train()
    folder = tmp_path / 'run/reconstructions'
    assert names_in(tmp_path / 'run') == ['iter_000002.png', 'iter_000003.png', 'last']
    grid = ImageGrid.load(folder / 'last')
    assert grid.columns == ['input', 'corrupted', 'prediction', 'pasted', 'target']
    assert grid.caption.startswith('After iter 3. Images of the training.')
    assert np.asarray(Image.open(folder / 'iter_000003.png')).shape[2] == 3
    watcher = next(hook for hook in runner.hooks if hasattr(hook, 'batch'))
    views = runner.model.data_preprocessor(watcher.batch, False)['inputs']
    torch.manual_seed(0)
    result = runner.model.eval().reconstruct(views)
    for row, clean, pred in zip(grid.rows, result.input, result.pred):
        for tile, image in ((row[0], clean), (row[2], pred)):
            expected = image.permute(1, 2, 0).numpy() * 255
            assert abs(tile.astype(float) - expected).max() <= 1


def test_what_cannot_be_drawn_is_said_once(files, tmp_path):
    runner = make(tiny_of('c-mae'), files, tmp_path / 'run', hooks=watchers(files))
    runner.logger.addHandler(Listener(messages := []))
    runner.train()
    told = [text for text in messages if text.startswith('reconstructions:')]
    assert len(told) == 1 and 'predicts features' in told[0] and 'goes on' in told[0]
    assert not (tmp_path / 'run/reconstructions').exists()


class Listener(logging.Handler):
    def __init__(self, messages):
        super().__init__()
        self.messages = messages

    def emit(self, record):
        self.messages.append(record.getMessage())


def test_every_backend_of_the_visualizer_gets_the_sheet(files, tmp_path, monkeypatch):
    """TensorBoard's own reader of its files, and a stand-in for Weights & Biases."""
    reader = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    calls, kinds = [], ('Local', 'Tensorboard', 'Wandb')
    wandb = types.SimpleNamespace(
        init=lambda **kwargs: None,
        config=types.SimpleNamespace(update=lambda *args, **kwargs: None),
        run=types.SimpleNamespace(log_code=lambda **kwargs: None),
        log=lambda values, **kwargs: calls.append(values),
        Image=lambda image: image,
        join=lambda: None,
    )
    monkeypatch.setitem(__import__('sys').modules, 'wandb', wandb)
    backends = [dict(type=f'{kind}VisBackend') for kind in kinds]
    visualizer = dict(type='Visualizer', vis_backends=backends, name=tmp_path.name)
    changes = dict(hooks=watchers(files), visualizer=visualizer)
    runner = make(tiny_of(MAE), files, tmp_path / 'run', **changes)
    runner.train()
    pictures = [call['reconstructions'] for call in calls if 'reconstructions' in call]
    sheet = np.asarray(Image.open(tmp_path / 'run/reconstructions/epoch_0002.png'))
    assert len(pictures) == 2 and np.array_equal(pictures[-1], sheet)
    assert any('holdout/effective_rank' in call for call in calls)
    events = reader.EventAccumulator(str(next((tmp_path / 'run').glob('*/vis_data'))))
    events.Reload()
    found = events.Images('reconstructions')
    assert [event.step for event in found] == [2, 4]
    assert np.array_equal(Image.open(io.BytesIO(found[-1].encoded_image_string)), sheet)
    logged = {line['step']: line for line in scalars(runner) if 'holdout/seconds' in line}
    for key in ('holdout/effective_rank', 'holdout/knn_top1', 'holdout/token_variance/block01'):
        values = {event.step: event.value for event in events.Scalars(key)}
        assert values == pytest.approx({step: line[key] for step, line in logged.items()})
    assert {'loss', 'lr'} <= set(events.Tags()['scalars'])


def test_measures_are_those_of_the_features(files, tmp_path):
    runner = make(tiny_of(MAE), files, tmp_path / 'run', hooks=watchers(files))
    runner.train()
    hook = next(h for h in runner.hooks if isinstance(h, holdout.HoldoutHook))
    logged = [line for line in scalars(runner) if 'holdout/seconds' in line]
    assert [line['step'] for line in logged] == [2, 4]
    model = runner.model.eval()
    images = hook.parts['plain']
    with torch.no_grad():
        normal = model.data_preprocessor(dict(inputs=dict(image=images)))['inputs']['image']
        tokens = model.backbone(normal)[-1][:, model.backbone.num_prefix :]
    rank = pytest.approx(effective_rank(tokens.mean(1)), rel=1e-4)
    assert logged[-1]['holdout/effective_rank'] == rank
    blocks = [key for key in logged[-1] if key.startswith('holdout/token_variance/')]
    assert len(blocks) == tiny.DEPTH
    first, second = hook.parts['first'], hook.parts['second']
    assert first.shape == second.shape and not torch.equal(first, second)


@pytest.mark.long
@pytest.mark.parametrize(
    'path', sorted(configs.CONFIGS.glob('demo/*.py')), ids=lambda p: p.stem[:40]
)
def test_every_demo_is_drawn_and_measured_or_says_why_not(path, files, tmp_path):
    full = configs.load(path)
    if configs.kind(full) != 'pretraining':
        pytest.skip('no pre-training')
    messages = []
    hooks = watchers(files, images=str(files / 'images'))  # of several, where a run has one
    runner = make(ConfigDict(tiny.shrink(full)), files, tmp_path / 'run', hooks=hooks)
    runner.logger.addHandler(Listener(messages))
    runner.train()
    told = [text for text in messages if 'goes on without it' in text]
    assert all('predicts' in text or 'no encoder' in text or 'no decoder' in text for text in told)
    sheets = list((tmp_path / 'run').glob('reconstructions/epoch_*.png'))
    measured = [line for line in scalars(runner) if 'holdout/seconds' in line]
    assert len(told) == (not sheets) + (not measured)
    assert all(np.isfinite(value) for line in measured for value in line.values())


def test_four_channels_are_drawn_and_measured(files, tmp_path):
    rng = np.random.default_rng(0)
    for split in ('images4', 'labelled4/a', 'labelled4/b'):
        (files / split).mkdir(parents=True, exist_ok=True)
        for index in range(8):
            array = rng.integers(0, 256, (4, 80, 96), dtype=np.uint8)
            np.save(files / split / f'{index}.npy', array)
    cfg = copy.deepcopy(tiny_of(MAE))
    cfg.dataset.channels = cfg.model.backbone.in_channels = 4
    cfg.model.neck.out_dims = cfg.model.neck.out_dims // 3 * 4
    cfg.data_preprocessor.mean, cfg.data_preprocessor.std = [120.0] * 4, [60.0] * 4
    cfg.model.target.update(in_channels=4, mean=[120.0] * 4, std=[60.0] * 4)
    labelled = str(files / 'labelled4')
    hooks = watchers(files, train=labelled, test=labelled)
    runner = make(cfg, files, tmp_path / 'run', hooks=hooks, folder='images4')
    runner.train()
    assert ImageGrid.load(tmp_path / 'run/reconstructions/last').rows[0][0].shape[-1] == 3
    assert 'holdout/knn_top1' in scalars(runner)[-1]


def test_shares_of_the_processes_are_joined_in_the_order_of_the_images():
    whole = torch.arange(10.0).view(5, 2)
    shares = [features.Encoding(whole[rank::3], [float(rank)]) for rank in range(3)]
    shares.append(features.Encoding(torch.empty(0, 0), []))
    joined = features.Encoding.join(shares)
    assert torch.equal(joined.features, whole)
    assert joined.variances == pytest.approx([(2 * 0 + 2 * 1 + 1 * 2) / 5])


def test_modes_and_generators_are_put_back():
    frozen = torch.nn.Dropout().eval()
    model = torch.nn.Sequential(torch.nn.Dropout(), frozen)
    runner = types.SimpleNamespace(model=model, hooks=[])
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.initial_seed()
    with undisturbed(runner, 7):
        assert not model[0].training and torch.initial_seed() == 7
        torch.rand(3), np.random.rand(3)
    assert model[0].training and not frozen.training
    assert torch.equal(torch.get_rng_state(), states[0]) and torch.initial_seed() == states[2]
    assert np.array_equal(np.random.get_state()[1], states[1])


@pytest.mark.parametrize(
    'options, words',
    [
        (dict(probes=['svm']), 'probes'),
        (dict(feature='max'), 'feature'),
        (dict(train='a'), 'both or not at all'),
        (dict(interval=0), 'at least 1'),
        (dict(count=1), 'at least 2'),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(ValueError, match=words):
        holdout.HoldoutHook(**options)
