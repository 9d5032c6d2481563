"""Label maps with labels that the model does not know are named before anything is built."""

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mmmim.datasets.label_maps import check_files, label_problem
from mmmim.engine.config_check.labels import wrong_labels
from mmmim.engine.launch import train


def save(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values)).save(path)
    return path


def eight_bits(*values):
    return np.asarray([values], np.uint8)


@pytest.mark.parametrize(
    ('values', 'settings', 'wrong'),
    [
        (eight_bits(0, 3, 255), dict(), None),
        (eight_bits(0, 4, 9), dict(), 'holds label 4 and 1 more, where 0..3 and 255 are allowed'),
        (eight_bits(0, 4, 255), dict(reduce_zero_label=True), None),
        (eight_bits(5), dict(reduce_zero_label=True), 'holds label 5, where 0..4 and 255'),
        (eight_bits(254), dict(reduce_zero_label=True), 'holds label 254'),
        (eight_bits(9, 7), dict(label_map={9: 0, 7: -1}), None),
        (eight_bits(9), dict(label_map={9: 4}), 'holds label 9'),
        (eight_bits(255), dict(ignore_index=0), 'holds label 255'),
        (np.asarray([[256 + 2]], np.uint16), dict(), 'holds label 258'),
        (np.asarray([[2]], np.uint16), dict(), None),
        (np.asarray([[True]]), dict(), None),
        (np.zeros((2, 2, 3), np.uint8), dict(), 'has 3 channels (RGB)'),
    ],
)
def test_one_map(tmp_path, values, settings, wrong):
    """Classes 0..3; what mmseg's loader makes of the file is what counts, but for the 8 bits."""
    problem = label_problem(save(tmp_path / 'a.png', values), 4, **settings)
    assert problem is None if wrong is None else problem.startswith(wrong)


def test_files_that_are_none(tmp_path):
    assert label_problem(tmp_path / 'a.png', 4) == 'does not exist'
    (tmp_path / 'a.png').write_text('text')
    assert label_problem(tmp_path / 'a.png', 4).startswith('cannot be read (')


def test_the_time_is_bounded():
    assert check_files(range(5), lambda path: 'wrong' if path == 3 else None) == ({3: 'wrong'}, 5)
    assert check_files(range(5), lambda path: 'wrong', seconds=-1) == ({}, 0)


@pytest.fixture
def config(tmp_path):
    pytest.importorskip('mmseg.models')
    for i in range(3):
        save(tmp_path / f'data/images/{i}.jpg', np.zeros((4, 4, 3), np.uint8))
        save(tmp_path / f'data/labels/{i}.png', np.full((4, 4), 150, np.uint8))
    dataset = dict(
        type='ADE20KDataset',
        data_root=str(tmp_path / 'data'),
        data_prefix=dict(img_path='images', seg_map_path='labels'),
        pipeline=[dict(type='NotReadHere')],
    )
    loader = dict(dataset=dict(type='ConcatDataset', datasets=[dataset]))
    model = dict(decode_head=dict(num_classes=150))
    return Config(
        dict(default_scope='mmseg', model=model, train_dataloader=loader, val_dataloader=loader)
    )


def test_a_data_set_is_read_once_and_its_first_fault_named(config, tmp_path, capsys):
    sections = ('train', 'val')
    assert wrong_labels(config, sections) == []
    assert wrong_labels(config, sections, seconds=-1) == []
    assert 'train_dataloader: 0 of 3 label maps checked' in capsys.readouterr().err
    for i in (1, 2):
        save(tmp_path / f'data/labels/{i}.png', np.full((4, 4), 200, np.uint8))
    (problem,) = wrong_labels(config, sections)
    for part in ('2 of 3 label maps', f'{tmp_path}/data/labels/1.png holds label 200', '0..150'):
        assert part in problem
    assert 'model.decode_head.num_classes is 150' in problem
    assert wrong_labels(config, ()) == []


def test_fewer_classes_than_the_data_set(config):
    config.model.decode_head = [dict(num_classes=150), dict(num_classes=149)]
    (problem,) = wrong_labels(config, ('train',))
    assert 'holds label 150, where 0..149 and 255 are allowed' in problem


def test_training_refuses_before_the_first_step(config, tmp_path, capsys):
    """The whole way: our recipe, data with one label too many, exit code 2 and one sentence."""
    from helpers.configs import CONFIGS

    (recipe,) = CONFIGS.glob('segmentation/upernet-mae_vit-base*.py')
    text = f"""
_base_ = [{str(recipe)!r}]
data = dict(data_root={str(tmp_path / 'data')!r},
            data_prefix=dict(img_path='images', seg_map_path='labels'))
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
"""
    (tmp_path / 'config.py').write_text(text)
    save(tmp_path / 'data/labels/2.png', np.full((4, 4), 151, np.uint8))
    code = train([str(tmp_path / 'config.py'), '--work-dir', str(tmp_path / 'run')])
    error = capsys.readouterr().err
    assert code == 2
    assert f'{tmp_path}/data/labels/2.png holds label 151' in error and 'Traceback' not in error
    assert not list((tmp_path / 'run').rglob('*.pth'))
