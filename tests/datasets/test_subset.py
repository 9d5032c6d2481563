"""Few images: which ones, epochs drawn with replacement, the list, the same images with labels."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from PIL import Image

from mmmim.datasets import EpochSampler, ImageFolder, ImageSubset
from mmmim.datasets.subset import choose_images, class_of
from mmmim.engine.hooks import ImageListHook
from mmmim.registry import DATASETS

COUNTS = dict(ant=3, bee=8, cat=5, dog=6)
PATHS = [f'{name}/{k}.jpg' for name, count in COUNTS.items() for k in range(count)]
PIPELINE = [dict(type='mmmim.RandomResizedCrop', size=16), dict(type='mmmim.RandomFlip')]


@pytest.fixture
def root(tmp_path):
    """An image per path, all of one colour that tells them apart."""
    for k, path in enumerate(PATHS):
        file = tmp_path / 'train' / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 24, 3), 10 * k, dtype=np.uint8)).save(file, quality=95)
    return tmp_path / 'train'


def names(chosen):
    return Counter(class_of(PATHS[index]) for index in chosen)


def test_random_images_are_a_function_of_the_seed_and_nested():
    ten = choose_images(PATHS, 10, 'random', seed=1)
    assert ten == sorted(set(ten)) and len(ten) == 10
    assert ten == choose_images(PATHS, 10, 'random', seed=1)
    assert ten != choose_images(PATHS, 10, 'random', seed=2)
    assert set(choose_images(PATHS, 4, 'random', seed=1)) <= set(ten)
    counts = Counter(i for s in range(300) for i in choose_images(PATHS, 11, 'random', seed=s))
    assert set(counts) == set(range(22))
    assert all(100 < count < 200 for count in counts.values())


def test_one_class_has_enough_images():
    found = set()
    for seed in range(40):
        classes = names(choose_images(PATHS, 6, 'one_class', seed=seed))
        assert len(classes) == 1 and sum(classes.values()) == 6
        found |= set(classes)
    assert found == {'bee', 'dog'}


def test_one_per_class():
    assert names(choose_images(PATHS, 4, 'one_per_class')) == dict.fromkeys(COUNTS, 1)
    found = Counter()
    for seed in range(60):
        three = names(choose_images(PATHS, 3, 'one_per_class', seed=seed))
        assert set(three.values()) == {1} and len(three) == 3
        found += three
    assert min(found.values()) > 30


def test_classes_narrow_it_down():
    assert names(choose_images(PATHS, classes=['cat', 'ant'])) == dict(ant=3, cat=5)
    assert set(names(choose_images(PATHS, 4, classes=['cat']))) == {'cat'}


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(num_images=23), "num_images=23 with sampling='random', but there are 22 images"),
        (dict(num_images=9, sampling='one_class'), 'there are 8 images in any class'),
        (dict(num_images=5, sampling='one_per_class'), 'there are 4 classes'),
        (dict(num_images=0), 'num_images must be at least 1, got 0'),
        (dict(sampling='most'), "sampling must be one of .* got 'most'"),
        (dict(classes=['cat', 'eel']), "1 of 2 classes have no folder .* 'eel'"),
    ],
)
def test_what_is_not_there_is_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        choose_images(PATHS, **options)


def build(root, **options):
    cfg = dict(type='mmmim.ImageSubset', data_root=str(root), pipeline=PIPELINE, seed=5)
    return DATASETS.build({**cfg, **options})


def test_without_options_it_is_the_folder(root):
    subset, folder = build(root), ImageFolder(str(root), pipeline=PIPELINE, seed=5)
    assert len(subset) == len(folder) == 22
    for index in (0, 7, 21):
        left, right = subset[1, index], folder[1, index]
        assert torch.equal(left.pop('image'), right.pop('image')) and left == right


def test_an_epoch_is_drawn_with_replacement(root):
    subset = build(root, num_images=3, epoch_length=600, cache='ram')
    assert len(subset) == 600 and len(subset.paths) == 3
    drawn = [subset.draw(2, index) for index in range(600)]
    assert all(160 < count < 240 for count in Counter(drawn).values())
    assert drawn != [subset.draw(3, index) for index in range(600)]
    item = subset[2, 17]
    assert (item['sample_index'], item['epoch']) == (17, 2)
    colour = PATHS.index(subset.paths[drawn[17]]) * 10
    assert (item['image'].float() - colour).abs().max() < 3
    sampler = EpochSampler(subset, seed=0)
    assert sorted(index for _, index in sampler) == list(range(600))


def test_repeats_of_one_image_differ_in_crop_and_sample_index(root):
    Image.fromarray(np.arange(20 * 24 * 3, dtype=np.uint8).reshape(20, 24, 3)).save(
        root / 'ant' / '0.jpg'
    )
    subset = build(root, num_images=1, epoch_length=50, files=['ant/0.jpg'])
    items = [subset[0, index] for index in range(50)]
    assert [item['sample_index'] for item in items] == list(range(50))
    assert len({item['image'].numpy().tobytes() for item in items}) > 45
    assert torch.equal(items[3]['image'], subset[0, 3]['image'])


def test_epoch_length_is_checked(root):
    with pytest.raises(ValueError, match='epoch_length must be positive, got 0'):
        build(root, epoch_length=0)


def test_the_list_is_written_and_taken_back(root, tmp_path):
    subset = build(root, num_images=5)
    logged = []
    runner = SimpleNamespace(
        train_dataloader=SimpleNamespace(dataset=subset),
        work_dir=str(tmp_path),
        logger=SimpleNamespace(info=logged.append),
    )
    ImageListHook().before_train(runner)
    lines = (tmp_path / 'images.txt').read_text().splitlines()
    assert lines[0].startswith('# 5 of 22 images') and len(lines) == 6
    again = ImageSubset(str(root), files=str(tmp_path / 'images.txt'))
    assert [again.paths[k] for k in range(5)] == [subset.paths[k] for k in range(5)]
    assert '5 of 22 images' in logged[0]


def test_labelled_images_are_the_same_ones(root):
    cfg = dict(type='CustomDataset', data_root=str(root), pipeline=[])
    options = dict(num_images=7, subset_seed=3, classes=['dog', 'bee'])
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        labelled = DATASETS.build(dict(type='mmmim.LabelledSubset', dataset=cfg, **options))
    plain = build(root, **options)
    infos = [labelled[index] for index in range(len(labelled))]
    assert [info['img_path'] for info in infos] == [plain.paths.full(k) for k in range(7)]
    labels = {class_of(info['img_path']): info['gt_label'] for info in infos}
    assert labels == dict(bee=0, dog=1)
    assert labelled.metainfo['classes'] == labelled.dataset.metainfo['classes']
