"""Lists of labelled images: labels are mmpretrain's, draws nest, faults are named."""

import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mmpretrain.datasets import CustomDataset
from PIL import Image

from mmmim.datasets import labelled_lists as lists
from mmmim.datasets.subset import choose_images

TOOL = Path(__file__).parents[2] / 'tools/dataset_converters/image_lists.py'


@pytest.fixture
def root(tmp_path):
    """Three classes of 10, 20 and 2 images."""
    for name, count in (('n03', 10), ('n01', 20), ('n02', 2)):
        (tmp_path / 'train' / name).mkdir(parents=True)
        for index in range(count):
            image = Image.fromarray(np.full((4, 4, 3), index, dtype=np.uint8))
            image.save(tmp_path / 'train' / name / f'{name}_{index}.JPEG')
    return tmp_path / 'train'


def run(*argv):
    spec = importlib.util.spec_from_file_location('image_lists', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main([str(word) for word in argv])


def data_set(root, ann_file=''):
    settings = dict(data_root=str(root.parent), data_prefix=root.name, ann_file=str(ann_file))
    items = CustomDataset(**settings, extensions=('.jpeg',))
    return {info['img_path']: info['gt_label'] for info in items}


def test_file_names_get_the_labels_that_folders_have(root, capsys):
    names, out = root.parent / 'names.txt', root.parent / 'meta' / 'some.txt'
    names.write_text('n03_7.JPEG\nn01_3.JPEG\n')
    run('names', root, names, '--out', out)
    assert '2 images of 2 classes' in capsys.readouterr().out
    found, everything = data_set(root, out), data_set(root)
    assert found == {path: everything[path] for path in found}
    assert {Path(path).name for path in found} == {'n03_7.JPEG', 'n01_3.JPEG'}


def test_a_fraction_takes_the_same_share_of_each_class(root):
    half, tenth = lists.draw_fraction(root, 50), lists.draw_fraction(root, 10)
    assert Counter(label for _, label in half) == {0: 10, 1: 1, 2: 5}
    assert Counter(label for _, label in tenth) == {0: 2, 1: 1, 2: 1}
    assert set(tenth) < set(half)
    assert half == lists.draw_fraction(root, 50) != lists.draw_fraction(root, 50, seed=1)
    assert len(lists.draw_fraction(root, 100)) == 32


def test_few_images_are_those_of_the_subset(root):
    found = lists.draw_images(root, 3, 'one_per_class', seed=4)
    assert sorted(label for _, label in found) == [0, 1, 2]
    paths = sorted(
        f'{name}/{path.name}' for name in ('n01', 'n02', 'n03') for path in (root / name).iterdir()
    )
    assert [name for name, _ in found] == [
        paths[i] for i in choose_images(paths, 3, 'one_per_class', 4)
    ]


def test_some_classes_are_counted_anew(root):
    (root.parent / 'classes.txt').write_text('n03\nn02\n')
    out = root.parent / 'two.txt'
    run('classes', root, '--classes', root.parent / 'classes.txt', '--out', out)
    assert Counter(label for _, label in lists.read_list(out)) == {0: 2, 1: 10}


def test_imagenet100_is_asked_for_by_default(root):
    with pytest.raises(SystemExit, match='100 of 100 classes have no folder'):
        run('classes', root, '--out', root.parent / 'in100.txt')


def test_lists_that_are_in_order(root, capsys):
    everything = lists.draw_fraction(root, 100)
    train, val = root.parent / 'train.txt', root.parent / 'val.txt'
    lists.write_list(everything[::2], train)
    lists.write_list(everything[1::2], val)
    run('check', root, train, val)
    assert capsys.readouterr().out == 'classes 3, train 16, val 16, fewest 1\n'


def broken_lists(root):
    everything = lists.draw_fraction(root, 100)
    train, val = everything[::2], everything[1::2]
    (root / 'n01' / 'n01_5.JPEG').write_bytes(b'')
    return {
        'images cannot be read': (everything[:15], everything[15:]),
        'labels have no image in train': ([e for e in train if e[1] != 1], val),
        'folders have two labels': ([(train[0][0], 2), *train[1:]], val),
        'images are in both lists': ([*train, val[0]], val),
        'labels are outside 0..2': (train, [*val, ('n01/n01_1.JPEG', 7)]),
    }


@pytest.mark.parametrize('what', list(range(5)))
def test_problems_are_counted_and_shown(root, what):
    words, (train, val) = list(broken_lists(root).items())[what]
    paths = root.parent / 'train.txt', root.parent / 'val.txt'
    for path, entries in zip(paths, (train, val)):
        lists.write_list(entries, path)
    with pytest.raises(ValueError, match=f'[0-9]+ {words} \\('):
        lists.check_lists(root, *paths, num_classes=3)


def test_lists_that_are_none(root):
    path = root.parent / 'bad.txt'
    with pytest.raises(ValueError, match='does not exist'):
        lists.read_list(path)
    path.write_text('n01/a.JPEG zero\n')
    with pytest.raises(ValueError, match='line 1'):
        lists.read_list(path)
    path.write_text('\n')
    with pytest.raises(ValueError, match='is empty'):
        lists.read_list(path)


def test_names_that_are_not_there(root):
    with pytest.raises(ValueError, match='1 of 2 images are not in'):
        lists.list_of_names(root, ['n01_1.JPEG', 'n01_99.JPEG'])
    with pytest.raises(ValueError, match='none of the 3 class folders'):
        lists.list_of_names(root, ['n09_1.JPEG'])
    with pytest.raises(ValueError, match=r'percent .* got 0'):
        lists.draw_fraction(root, 0)
