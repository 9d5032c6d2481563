"""Layout checks: each planted fault is named with its file, and nothing else is."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmmim.datasets.layouts import ADE20K, COCO, check_ade20k, check_coco

TOOL = Path(__file__).parents[2] / 'tools/dataset_converters/check_layout.py'
ANY = dict(training=None, validation=None)


def save(path, values):
    Image.fromarray(np.asarray(values)).save(path)


@pytest.fixture
def ade20k(tmp_path):
    for split in ANY:
        for kind in ('images', 'annotations'):
            (tmp_path / kind / split).mkdir(parents=True)
        for i in range(2):
            save(tmp_path / f'images/{split}/ADE_{i}.jpg', np.zeros((6, 8, 3), np.uint8))
            save(tmp_path / f'annotations/{split}/ADE_{i}.png', np.full((6, 8), 150, np.uint8))
    return tmp_path


def test_ade20k_in_order(ade20k):
    layout = check_ade20k(ade20k, ANY)
    assert layout.problems == []
    assert layout.found == [f'{ade20k}/images/{s}: 2 images with label maps' for s in ANY]
    counts = check_ade20k(ade20k).problems
    assert len(counts) == 2 and '20210' in counts[0] and '2000' in counts[1]
    assert ADE20K == dict(training=20210, validation=2000)


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        (np.full((6, 8), 151, np.uint8), ['holds label 151', '0..150 and 255']),
        (np.full((6, 8), 700, np.uint16), ['holds label 700']),  # 8 bits would make it 188
        (np.zeros((6, 8, 3), np.uint8), ['3 channels (RGB)', 'colours']),
        (np.zeros((6, 9), np.uint8), ['is 9x6, its image 8x6']),
    ],
)
def test_ade20k_label_maps(ade20k, values, words):
    path = ade20k / 'annotations/validation/ADE_1.png'
    save(path, values)
    (problem,) = check_ade20k(ade20k, ANY).problems
    assert all(word in problem for word in [str(path), '1 label maps', *words])
    assert check_ade20k(ade20k, ANY, labels=False).problems == []


def test_ade20k_files(ade20k, tmp_path):
    (ade20k / 'annotations/training/ADE_0.png').unlink()
    (ade20k / 'images/validation/ADE_1.jpg').unlink()
    first, second = check_ade20k(ade20k, ANY).problems
    assert 'annotations/training lacks 1 files, the first ADE_0.png' in first
    assert 'images/validation lacks 1 files, the first ADE_1.jpg' in second
    (problem,) = check_ade20k(tmp_path / 'nowhere', dict(training=None)).problems
    assert 'there is no folder' in problem and 'ADEChallengeData2016.zip' in problem
    outer = tmp_path / 'outer'
    outer.mkdir()
    (outer / 'ADEChallengeData2016').symlink_to(ade20k)
    (problem,) = check_ade20k(outer).problems
    assert f'give {outer}/ADEChallengeData2016' in problem


def write_coco(root, **changes):
    content = dict(
        images=[dict(id=7, file_name='a.jpg'), dict(id=8, file_name='b.jpg')],
        annotations=[dict(id=1, image_id=7, category_id=3, bbox=[0, 0, 2, 2])],
        categories=[dict(id=3, name='shape')],
    )
    (root / 'annotations').mkdir(exist_ok=True)
    (root / 'annotations/instances_train2017.json').write_text(json.dumps({**content, **changes}))
    (root / 'train2017').mkdir(exist_ok=True)
    for name in 'ab':
        (root / f'train2017/{name}.jpg').touch()


def item(**changes):
    return dict(dict(id=1, image_id=7, category_id=3, bbox=[0, 0, 2, 2]), **changes)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        (dict(images=[dict(id=7, file_name='c.jpg')]), ['lists 1 images', 'the first c.jpg']),
        (dict(annotations=[item(image_id=9)] * 2), ['2 objects', '(image_id)']),
        (dict(annotations=[item(category_id=4)]), ['1 objects', '(category_id)']),
        (dict(annotations=[item(bbox=[0, 0, -1, 2])]), ['1 objects', 'bbox']),
        (dict(annotations=[dict(id=1)]), ['have no image_id']),
        (dict(categories=[]), ['needs lists images, annotations, categories']),
    ],
)
def test_coco_faults(tmp_path, changes, words):
    write_coco(tmp_path)
    assert check_coco(tmp_path, dict(train2017=2)).problems == []
    write_coco(tmp_path, **changes)
    (problem,) = check_coco(tmp_path, dict(train2017=None)).problems
    assert 'instances_train2017.json' in problem and all(word in problem for word in words)


def test_coco_files(tmp_path):
    write_coco(tmp_path)
    found = check_coco(tmp_path).problems
    assert len(found) == 3  # too few, other categories, no val2017
    assert '118287' in found[0] and '80' in found[1] and 'instances_val2017.json' in found[2]
    (tmp_path / 'annotations/instances_train2017.json').write_text('{"images": [')
    (problem,) = check_coco(tmp_path, dict(train2017=None)).problems
    assert 'is no JSON' in problem
    assert COCO == dict(train2017=118287, val2017=5000)


def test_the_tool(ade20k, capsys, monkeypatch):
    main = runpy.run_path(str(TOOL))['main']
    main(['ade20k', str(ade20k), '--any-count'])
    assert capsys.readouterr().out.endswith('in order.\n')
    with pytest.raises(SystemExit) as stop:
        main(['ade20k', str(ade20k)])
    assert stop.value.code == 1 and 'problem: ' in capsys.readouterr().err
