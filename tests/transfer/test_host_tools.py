"""Our recipes under the train.py and test.py that mmpretrain, mmdet and mmseg install.

From an unrelated folder, without custom_imports. Every day one recipe per framework that a user's
config inherits, with a checkpoint, and a few others; on demand every kind of recipe. Configs count
as one kind where they name the same parts: model, pipeline, optimizer, schedule, hooks, loop.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import configs
from host_configs import FRAMEWORKS, inherited, small, steps
from PIL import Image
from tiny_data import make_ade20k, make_coco, make_imagenet

from mmmim.models.detection.requirements import detection_problem

HERE = Path(__file__).parent
DATA = dict(classification=make_imagenet, detection=make_coco, segmentation=make_ade20k)
RESULTS = dict(
    classification=r'accuracy/top1: (\d+\.\d+)',
    detection=r'coco/segm_mAP: (-?\d+\.\d+)',
    segmentation=r'mIoU: (\d+\.\d+)',
)
UNREAD = ('train_pipeline', 'test_pipeline', 'tta_pipeline', 'tta_model')
DAILY = (
    'attentive_vit-base-p16_32xb256-amp-coslr-90e_in1k',
    'linear_vit-base-p16_32xb512-amp-coslr-90e_in1k',
    'mask-rcnn-window16_vit-base-p16_deconv-fpn_16xb4-amp-lsj-25e_coco',
    'upernet-cae_vit-base-p16_8xb2-amp-160k_ade20k-512x512',
)


@pytest.fixture(params=FRAMEWORKS)
def folder(request):
    """Of configs."""
    if request.param == 'detection' and detection_problem():
        pytest.skip(detection_problem())
    pytest.importorskip(f'{FRAMEWORKS[request.param]}.models')
    return request.param


@pytest.fixture
def place(folder, tmp_path):
    """(data, folder for configs and their runs, unrelated folder)."""
    for name in ('runs', 'elsewhere'):
        (tmp_path / name).mkdir()
    return DATA[folder](tmp_path / 'data'), tmp_path / 'runs', tmp_path / 'elsewhere'


def parts_of(node) -> list[str]:
    """All types that a config names."""
    if isinstance(node, dict):
        own = {str(node['type'])} if 'type' in node else set()
        return sorted(own.union(*map(parts_of, node.values())))
    if isinstance(node, (list, tuple)):
        return sorted(set().union(*map(parts_of, node)))
    return []


def kinds_of(folder: str) -> list[Path]:
    """One recipe for each set of parts; the daily ones stand for theirs."""
    found = {}
    for path in sorted(configs.CONFIGS.glob(f'{folder}/*.py'), key=lambda p: p.stem not in DAILY):
        cfg = {k: v for k, v in configs.load(path).items() if k not in UNREAD}
        cfg['train_dataloader'] = dict(
            cfg['train_dataloader'], dataset=steps(cfg['train_dataloader']['dataset'])
        )
        found.setdefault(json.dumps(parts_of(cfg)), path)
    return list(found.values())


def start(command, cwd) -> str:
    """Output of a command that must succeed."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', *map(str, command)],
        cwd=cwd,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout + done.stderr


def run_all(folder, place) -> dict[str, str]:
    """Logs of all configs by name; each was trained, saved, read and tested."""
    _, runs, elsewhere = place
    start([HERE / 'host_runs.py', FRAMEWORKS[folder], runs], elsewhere)
    logs = {path.stem: path.with_suffix('.log').read_text() for path in runs.glob('*.py')}
    refused = {'damaged': logs.pop('damaged')} if 'damaged' in logs else {}
    failed = {}
    for name, log in logs.items():
        values = re.findall(RESULTS[folder], log)
        # What train.py measured last is what test.py measures of the file it wrote.
        if not log.endswith('exit status 0\n') or len(values) < 2 or values[-1] != values[-2]:
            failed[name] = f'{name}: {values}\n{log[-1500:]}'
    assert not failed, '\n\n'.join(failed.values())
    return logs | refused


def damage(folder, data) -> str:
    """Spoil the data, as their check must name it; a pattern of its sentence."""
    if folder == 'detection':
        image = sorted((data / 'train2017').iterdir())[1]
        image.unlink()
        return f'instances_train2017.json lists 4 images, .*first {image.name!r}'
    path = sorted((data / 'annotations/training').iterdir())[1]
    Image.fromarray(np.full((64, 96), 151, np.uint8)).save(path)
    return f'{path} holds label 151, where 0..150 and 255 are allowed'


def test_recipes_of_every_day(folder, place):
    data, runs, _ = place
    paths = [path for path in kinds_of(folder) if path.stem in DAILY]
    assert paths
    for path in paths:
        small(path, data).dump(runs / path.name)
    inherited(folder, data, runs)
    if folder != 'classification':
        other = DATA[folder](data.parent / 'other')
        wrong = damage(folder, other)
        small(paths[0], other).dump(runs / 'damaged.py')
    logs = run_all(folder, place)
    # All but the norm behind the last block.
    assert 'loaded 148/148, resized: ' in logs['inherited']
    if folder != 'classification':
        last = logs['damaged'].splitlines()[-2:]
        assert re.search(rf'ConfigError: .*{wrong}', last[0]) and last[1] == 'exit status 1'
        assert 'Epoch(train)' not in logs['damaged'] and 'Iter(train)' not in logs['damaged']
        assert not list((runs / 'damaged').rglob('*.pth'))


@pytest.mark.long
def test_every_kind_of_recipe(folder, place):
    for path in kinds_of(folder):
        if path.stem not in DAILY:
            small(path, place[0]).dump(place[1] / path.name)
    assert run_all(folder, place)


@pytest.mark.long
def test_processes_of_their_own(folder, place):
    """As a user starts them, with nothing imported before."""
    data, runs, elsewhere = place
    config = inherited(folder, data, runs)
    home = Path(__import__(FRAMEWORKS[folder]).__file__).parent / '.mim/tools'
    output = start([home / 'train.py', config, '--work-dir', runs / 'a'], elsewhere)
    trained = re.findall(RESULTS[folder], output)
    checkpoint = (runs / 'a/last_checkpoint').read_text().strip()
    output = start([home / 'test.py', config, checkpoint, '--work-dir', runs / 'b'], elsewhere)
    assert re.findall(RESULTS[folder], output)[-1] == trained[-1]
