"""Views of pre-trainings, without chance."""

import shutil

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from PIL import Image

from mmmim.analysis.batches import (
    load_batch,
    sound_batches,
    still_dataset,
    still_pipeline,
    trained_size,
)
from mmmim.datasets.decoding import ImageError


def crop(size, **more):
    """A random crop, as a config writes it."""
    return dict(type='mmmim.RandomResizedCrop', size=size, **more)


def test_pipelines_without_chance():
    """Central crops for random ones, also within views; flips and jitter go, the rest stays."""
    flip, jitter = dict(type='mmmim.RandomFlip'), dict(type='mmmim.ColorJitter')
    centre = dict(type='mmmim.CenterCrop', size=64)
    views = dict(type='mmmim.MultiView', views=dict(wide=[], image=[centre, jitter]))
    still = dict(scale=(1.0, 1.0), ratio=(1.0, 1.0))
    kept = dict(type='mmmim.MultiView', views=dict(wide=[], image=[centre]))
    given = [crop(80, scale=(0.2, 1.0)), flip, views]
    assert still_pipeline(given) == [crop(80, **still), kept]
    assert given[0] == crop(80, scale=(0.2, 1.0))  # untouched


def test_sizes_follow_that_of_the_input():
    """Views keep their share of the input, with margins of whole pixels on either side."""
    views = dict(tokenizer=dict(size=112, interpolation='lanczos'))
    step = dict(type='mmmim.RandomResizedCropViews', size=224, views=views)
    centre = dict(type='mmmim.CenterCrop', size=224)
    split = dict(type='mmmim.MultiView', views=dict(wide=[], image=[centre]))
    found = still_pipeline([step, crop(288), split], (112, 448), 224)
    assert found[0]['size'] == (112, 448) and found[0]['ratio'] == (4.0, 4.0)
    assert found[0]['views']['tokenizer']['size'] == (56, 224)
    assert found[1]['size'] == (144, 576)
    assert found[2]['views']['image'][0]['size'] == (112, 448)


@pytest.fixture
def cfg():
    pipeline = [crop(32), dict(type='mmmim.RandomFlip')]
    dataset = dict(type='mmmim.ImageFolder', data_root='nowhere', pipeline=pipeline)
    model = dict(backbone=dict(img_size=32))
    return Config(dict(model=model, train_dataloader=dict(dataset=dataset)))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('images')
    rng = np.random.default_rng(0)
    for index in range(5):
        pixels = rng.integers(0, 256, (32, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'{index}.png')
    return folder


def test_images_are_spread_over_the_folder_and_cropped_in_the_middle(cfg, folder):
    assert trained_size(cfg) == 32
    inputs = load_batch(cfg, folder, 2)['inputs']
    assert inputs['sample_index'].tolist() == [0, 2]
    pixels = np.asarray(Image.open(folder / '2.png'))[:, 9:41]
    assert np.array_equal(inputs['image'][1].permute(1, 2, 0), pixels)
    assert load_batch(cfg, folder, 9)['inputs']['sample_index'].tolist() == [0, 1, 2, 3, 4]
    cfg.train_dataloader.dataset.repeat = 4  # of a short epoch: no image is shown twice
    assert load_batch(cfg, folder, 9)['inputs']['sample_index'].tolist() == [0, 1, 2, 3, 4]
    assert load_batch(cfg, folder, 1, (16, 48))['inputs']['image'].shape == (1, 3, 16, 48)


@pytest.mark.parametrize('workers', [0, 1])
def test_images_of_no_use_are_left_out(cfg, folder, tmp_path, workers, monkeypatch):
    said = []
    monkeypatch.setattr(MMLogger, 'warning', lambda self, text: said.append(text))
    for name in '02':
        shutil.copy(folder / '0.png', tmp_path / f'{name}.png')
    Image.new('RGB', (9, 60)).save(tmp_path / '1.png')
    (tmp_path / '3.png').write_bytes(b'no picture')
    dataset = still_dataset(cfg, tmp_path, smallest=16)
    batches = list(sound_batches(dataset, 9, 2, workers))
    assert [b['inputs']['sample_index'].tolist() for b in batches] == [[0], [2]]
    assert len(said) == 1 and '1.png has 60x9 pixels, less than a patch of 16x16' in said[0]
    assert dataset.skipped == ['3.png']  # named as in a training
    with pytest.raises(ImageError, match='has 32x50 pixels, less than a patch of 40x40'):
        list(sound_batches(still_dataset(cfg, folder, smallest=40), 3, 2, workers))


def test_what_cannot_be_read_is_a_sentence(cfg, folder):
    with pytest.raises(ValueError, match='0.png has 32x50 pixels, less than a patch of 40x40'):
        load_batch(cfg, folder, 1, smallest=40)
    cfg.train_dataloader.dataset.type = 'CocoDataset'
    with pytest.raises(ValueError, match='trains on CocoDataset: only pre-trainings'):
        load_batch(cfg, folder, 1)
    with pytest.raises(ValueError, match='trains on no images'):
        load_batch(Config(dict(model=dict())), folder, 1)
