import logging
import os

import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS
from PIL import Image
from torch.utils.data import DataLoader

from mmmim.datasets import EpochSampler, ImageFolder, collate_views, worker_init
from mmmim.datasets.shared_memory import RamCache
from mmmim.engine.hooks.samples import names_of

PIPELINE = [dict(type='mmmim.RandomResizedCrop', size=24), dict(type='mmmim.RandomFlip')]


@pytest.fixture
def messages(monkeypatch):
    """What the data set logs: (level, text)."""
    seen = []
    for module in ('image_folder', 'skips'):
        target = f'mmmim.datasets.{module}.print_log'
        monkeypatch.setattr(target, lambda text, logger, level: seen.append((level, text)))
    return seen


def build(folder, **options):
    return DATASETS.build(
        dict(type='mmmim.ImageFolder', data_root=folder, pipeline=PIPELINE, **options)
    )


def same(a, b):
    return a.keys() == b.keys() and all(
        torch.equal(a[k], b[k]) if isinstance(a[k], torch.Tensor) else a[k] == b[k] for k in a
    )


def epoch_of(dataset, workers, epoch=0, batch_size=4):
    sampler = EpochSampler(dataset, seed=7)
    sampler.set_epoch(epoch)
    loader = DataLoader(
        dataset, batch_size, sampler=sampler, num_workers=workers, collate_fn=collate_views,
        worker_init_fn=worker_init,
    )  # fmt: skip
    return [batch['inputs'] for batch in loader]


def test_item(folder):
    dataset = build(folder, seed=3)
    item = dataset[(5, 2)]
    assert sorted(item) == ['epoch', 'image', 'sample_index']
    assert item['image'].shape == (3, 24, 24) and item['image'].dtype == torch.uint8
    assert (item['sample_index'], item['epoch']) == (2, 5)
    assert dataset.paths[2] == 'a/04.jpg' and len(dataset) == 12 and dataset.metainfo == {}
    assert same(dataset[2], dataset[(0, 2)])


def test_augmentation_depends_on_seed_epoch_and_index_only(folder):
    dataset = build(folder, seed=3)
    first = dataset[(5, 2)]
    for key in ((0, 0), (5, 3)):
        dataset[key]
    assert same(build(folder, seed=3)[(5, 2)], first)
    others = [dataset[(4, 2)], dataset[(5, 3)], build(folder, seed=4)[(5, 2)]]
    assert not any(torch.equal(other['image'], first['image']) for other in others)


def test_workers_change_nothing(folder):
    plain = epoch_of(build(folder), workers=0, epoch=2)
    for options in (dict(workers=2), dict(workers=1)):
        for a, b in zip(plain, epoch_of(build(folder), epoch=2, **options), strict=True):
            assert same(a, b)
    assert sorted(torch.cat([b['sample_index'] for b in plain]).tolist()) == list(range(12))
    assert all((b['epoch'] == 2).all() for b in plain)


def test_sampler_passes_the_seed_on_unless_the_config_has_one(folder):
    free, fixed = build(folder), build(folder, seed=0)
    for dataset in (free, fixed):
        EpochSampler(dataset, seed=11)
    assert (free.seed, fixed.seed) == (11, 0)


def test_cache_gives_the_same_pixels_and_is_shared_by_workers(folder, monkeypatch):
    plain, cached = build(folder, seed=1), build(folder, seed=1, cache='ram')
    assert [cached.cache.get(i) for i in range(12)] == [None] * 12
    epoch_of(cached, workers=2)
    monkeypatch.setattr('mmmim.datasets.image_folder.decode', None)  # the workers filled it
    filled = [cached[(3, i)] for i in range(12)]
    monkeypatch.undo()
    assert all(same(plain[(3, i)], filled[i]) for i in range(12))


def test_cache_survives_an_image_that_grew(folder):
    dataset = build(folder, cache='ram')
    path = dataset.paths.full(0)
    Image.fromarray(np.full((200, 200, 3), 9, np.uint8)).save(path)
    assert (dataset[0]['image'] == 9).all() and dataset.cache.get(0) is None


def test_cache_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"cache='ram' needs .* GiB for 100000 decoded images"):
        RamCache(np.full((100000, 2), 20000))


def break_file(dataset, index):
    with open(dataset.paths.full(index), 'wb') as file:
        file.write(b'no image')


def test_broken_file_is_named_once_and_replaced(folder, messages):
    dataset = build(folder, look_at=0)
    for index in (3, 4, 11):
        break_file(dataset, index)
    dataset.skips.flags[:] = False
    items = [dataset[(1, i)] for i in range(12)]
    assert [item['sample_index'] for item in items] == [0, 1, 2, 5, 5, 5, 6, 7, 8, 9, 10, 0]
    assert dataset.skipped == ['a/06.jpg', 'a/08.jpg', 'b/11.jpg']
    for _ in range(3):
        assert same(dataset[(1, 3)], items[3])
    assert [level for level, _ in messages] == [logging.WARNING] * 3
    assert all(name in text for name, (_, text) in zip(dataset.skipped, messages))


def test_broken_files_met_by_workers_are_known_to_the_main_process(folder):
    dataset = build(folder, look_at=0)
    break_file(dataset, 5)
    plain = epoch_of(dataset, workers=2)
    assert dataset.skipped == [dataset.paths[5]]
    for a, b in zip(plain, epoch_of(dataset, workers=0), strict=True):
        assert same(a, b)


def test_broken_none(folder, messages):
    dataset = build(folder, broken='none', look_at=0)
    break_file(dataset, 5)
    assert dataset[5] is None and dataset[6] is not None and len(messages) == 1


def test_too_many_broken_files_stop_the_run(folder, messages):
    for i in range(100):
        (folder / f'{i:03d}.jpg').write_bytes(b'no image')
    dataset = build(folder, look_at=0, max_broken=0.2)
    allowed, rng = int(0.2 * 112), np.random.default_rng(0)
    for i in range(allowed):
        dataset._load(i, rng)
    with pytest.raises(RuntimeError, match=f'{allowed + 1} of 112 images .* max_broken=0.2'):
        dataset._load(allowed, rng)


def test_nothing_readable_is_an_error_before_the_first_step(tmp_path, messages):
    for i in range(3):
        (tmp_path / f'{i}.jpg').write_bytes(b'no image')
    with pytest.raises(ValueError, match='none of 3 images looked at can be read'):
        build(tmp_path)


def test_small_images_are_counted_in_one_warning(folder, messages):
    build(folder)
    assert messages == []
    DATASETS.build(
        dict(
            type='mmmim.ImageFolder',
            data_root=folder,
            pipeline=[dict(type='mmmim.RandomResizedCrop', size=50)],
        )
    )
    (level, text), = messages  # fmt: skip
    small = sum(min(40 + 3 * i, 60 - 2 * i) < 50 for i in range(12))
    assert level == logging.WARNING and f'{small} of 12 images' in text and '50x50' in text


def test_looking_at_headers_is_bounded(folder, monkeypatch, messages):
    looked = []

    def count(file):
        looked.append(os.path.basename(file.name))
        return 99, 99

    monkeypatch.setattr('mmmim.datasets.image_folder.inspect', count)
    build(folder, look_at=4)
    assert looked == ['00.jpg', '06.jpg', '03.jpg', '11.jpg']  # spread from the first to the last


@pytest.mark.parametrize('options', [dict(cache='disk'), dict(broken='raise')])
def test_unknown_options(folder, options):
    with pytest.raises(ValueError, match='must be'):
        ImageFolder(folder, **options)


def test_missing_folder():
    with pytest.raises(ValueError, match="'/no/such/folder' does not exist"):
        build('/no/such/folder')


def test_repeated_images_have_crops_masks_and_names_of_their_own(folder):
    dataset = build(folder, seed=3, repeat=3)
    assert len(dataset) == 36
    first, again = dataset[(1, 5)], dataset[(1, 29)]  # the same image
    assert (first['sample_index'], again['sample_index']) == (5, 29)
    assert not torch.equal(first['image'], again['image'])
    assert same(first, build(folder, seed=3)[(1, 5)])
    names = names_of(dict(sample_index=[5, 29]), dataset)
    assert names == [dataset.paths.full(5)] * 2
    break_file(dataset, 5)
    fresh = build(folder, seed=3, repeat=3)
    assert [fresh[(1, i)]['sample_index'] for i in (5, 17, 29)] == [6, 18, 30]
    with pytest.raises(ValueError, match='repeat=0 must be a positive'):
        build(folder, repeat=0)
