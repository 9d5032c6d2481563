"""The embedded data set: its files, that they agree with each other, what does not solve it."""

import csv
import hashlib
import json
import runpy
import shutil
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmmim.datasets.scenes import (
    SHAPES,
    TEXTURES,
    Settings,
    Style,
    draw_scene,
    make,
    make_scenes,
    settings,
    textures,
    workers,
)
from mmmim.datasets.scenes.annotations import encode_rle
from mmmim.datasets.scenes.shapes import OUTLINES, area_and_centroid, place

SMALL = Settings(counts=dict(unlabeled=30, train=24, tune=16, val=40))


def digest(root):
    """One digest over all names and bytes below a folder."""
    total = hashlib.sha256()
    for path in sorted(root.rglob('*')):
        if path.is_file():
            total.update(str(path.relative_to(root)).encode() + b'\0' + path.read_bytes())
    return total.hexdigest()


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('scenes') / 'made'
    assert make_scenes(folder, SMALL, processes=1)
    return folder


@pytest.fixture
def small_runs(monkeypatch):
    """Runs of 8 scenes, so that a tiny set has several per split."""
    monkeypatch.setattr(workers, 'RUN', 8)


# ------------------------------------------------------------------------------- the scenes


def test_scene_depends_on_seed_split_and_index_only():
    first = draw_scene(0, 'val', 5)
    draw_scene(3, 'train', 1)
    again = draw_scene(0, 'val', 5)
    assert np.array_equal(first.image, again.image) and np.array_equal(first.owner, again.owner)
    for other in (draw_scene(1, 'val', 5), draw_scene(0, 'tune', 5), draw_scene(0, 'val', 13)):
        assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize('size', [32, 64, 97])
def test_scene_scales_with_the_image(size):
    scenes = [draw_scene(0, 'train', i, size=size) for i in range(64)]
    assert all(s.image.shape == (size, size, 3) and s.image.dtype == np.uint8 for s in scenes)
    dominant = np.mean([(s.owner == 1).mean() for s in scenes])
    assert 0.2 < dominant < 0.4


def test_objects_stay_visible_and_the_dominant_one_is_the_largest():
    for i in range(400):
        scene = draw_scene(0, 'val', i)
        pixels = [(scene.owner == k + 1).sum() for k in range(len(scene.objects))]
        assert pixels[0] == max(pixels) and scene.objects[0]['visible'] > 0.7
        assert min(one['visible'] for one in scene.objects) > 0.3


def test_factors_are_independent_of_class():
    """Chi-squared of class against each nuisance factor, 1,600 scenes, 0.1 % for all together."""
    stats = pytest.importorskip('scipy.stats')
    style = Style(home_share=0.125)
    scenes = [draw_scene(0, 'val', i, style=style) for i in range(1600)]
    label = np.array([s.objects[0]['label'] for s in scenes])
    first = [s.objects[0] for s in scenes]
    factors = dict(
        texture=[one['texture'] for one in first],
        mirror=[one['mirror'] for one in first],
        count=[len(s.objects) - 1 for s in scenes],
    )
    for name in ('radius', 'angle', 'aspect'):
        values = np.array([one[name] for one in first])
        factors[name] = np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), values)
    # Mean colours of the background, which no shape covers more than another by much.
    mean = np.array([s.image[s.owner == 0].mean(0) for s in scenes])
    for channel in (0, 2):
        values = mean[:, channel]
        factors[f'colour {channel}'] = np.searchsorted(np.quantile(values, [0.33, 0.66]), values)
    for name, values in factors.items():
        values = np.asarray(values).astype(int)
        table = np.zeros((8, values.max() + 1))
        np.add.at(table, (label, values), 1)
        assert stats.chi2_contingency(table).pvalue > 0.001 / len(factors), name


def test_home_share_is_kept():
    objects = [one for i in range(800) for one in draw_scene(0, 'val', i).objects]
    share = np.mean([one['home'] for one in objects])
    expected = Style().home_share
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / len(objects))
    assert all(one['home'] == (one['texture'] == one['label']) for one in objects)


def test_outlines():
    for name, points in OUTLINES.items():
        area, centroid = area_and_centroid(points.astype(float))
        assert np.abs(centroid).max() < 1e-6, name
        assert 0.5 < np.sqrt(area / np.pi) < 1.01 and 0.99 < np.linalg.norm(points, axis=1).max()
    turned = place('arrow', center=(10, 20), radius=5, angle=np.pi / 2)
    tip = turned[np.linalg.norm(turned - (10, 20), axis=1).argmax()]
    upright = OUTLINES['arrow'] * 5
    # A quarter turn takes (x, y) to (-y, x), y down.
    assert np.allclose(turned, np.stack([-upright[:, 1], upright[:, 0]], 1) + (10, 20), atol=1e-4)
    assert tip.shape == (2,)


def test_textures_are_standardised_and_repeat():
    for kind, tiles in textures.texture_bank(64).items():
        assert kind in TEXTURES
        for tile in tiles:
            assert abs(tile.mean()) < 1e-3 and abs(tile.std() - 1) < 1e-3
    x, y = textures._axes(128)
    for kind, build in textures._BUILDERS.items():
        here = build(x, y, np.random.default_rng(0))
        for right, down in ((textures.REPEATS, 0), (0, textures.REPEATS)):
            there = build(x + right, y + down, np.random.default_rng(0))
            assert np.allclose(here, there, atol=1e-6), kind


# ------------------------------------------------------------------------------- the files


def test_layout(root):
    assert len(list(root.glob('unlabeled/00/*.jpg'))) == 30
    for split, count in list(SMALL.counts.items())[1:]:
        names = sorted(p.stem for p in (root / split / 'images').glob('*.jpg'))
        assert names == [f'{i:06d}' for i in range(count)]
        assert sorted(p.stem for p in (root / split / 'labels').glob('*.png')) == names
        assert sorted(p.stem for p in (root / 'cls' / split).glob('*/*.jpg')) == names
        assert sorted(p.name for p in (root / 'cls' / split).iterdir()) == list(SHAPES)
    assert not (root / settings.JOURNAL).exists()
    assert not list(root.rglob('*.part'))
    assert json.loads((root / 'manifest.json').read_text())['classes'] == list(SHAPES)


def test_images_on_disk_are_the_scenes(root):
    for i in range(8):
        stored = cv2.imread(str(root / 'train' / 'images' / f'{i:06d}.jpg')).astype(int)
        drawn = draw_scene(0, 'train', i).image.astype(int)
        assert np.abs(stored - drawn).mean() < 8  # JPEG, colour at half resolution


def test_coco_json_agrees_with_the_label_maps(root):
    coco_api = pytest.importorskip('pycocotools.coco')
    for split in ('train', 'tune', 'val'):
        api = coco_api.COCO(str(root / 'annotations' / f'instances_{split}.json'))
        assert [c['name'] for c in api.loadCats(api.getCatIds())] == list(SHAPES)
        assert len(api.getImgIds()) == SMALL.counts[split]
        for image in api.loadImgs(api.getImgIds()):
            assert (root / split / 'images' / image['file_name']).is_file()
            path = (root / split / 'labels' / image['file_name']).with_suffix('.png')
            labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            assert labels.dtype == np.uint8 and labels.shape == (image['height'], image['width'])
            painted = np.zeros_like(labels)
            for one in api.loadAnns(api.getAnnIds(image['id'])):
                mask = api.annToMask(one).astype(bool)
                assert not painted[mask].any(), 'instances overlap'
                painted[mask] = one['category_id']
                rows, columns = np.nonzero(mask)
                assert one['bbox'] == [
                    columns.min(),
                    rows.min(),
                    np.ptp(columns) + 1,
                    np.ptp(rows) + 1,
                ]
                assert one['area'] == mask.sum() and one['iscrowd'] == 0
            assert np.array_equal(painted, labels)


@pytest.mark.parametrize(
    'mask',
    [
        np.zeros((3, 4), bool),
        np.ones((3, 4), bool),
        np.eye(5, dtype=bool),
        np.eye(4, dtype=bool)[::-1],
        np.arange(12).reshape(3, 4) > 5,
    ],
)
def test_rle_against_pycocotools(mask):
    api = pytest.importorskip('pycocotools.mask')
    rle = encode_rle(mask)
    assert sum(rle['counts']) == mask.size and 0 not in rle['counts'][1:]
    assert np.array_equal(api.decode(api.frPyObjects(rle, *mask.shape)).astype(bool), mask)


def test_class_lists_and_table(root):
    for split in ('train', 'tune', 'val'):
        notes = root / 'annotations'
        lines = [line.split() for line in (notes / f'cls_{split}.txt').read_text().splitlines()]
        assert len(lines) == SMALL.counts[split]
        for name, label in lines:
            assert (root / 'cls' / split / name).is_file()
            assert SHAPES[int(label)] == Path(name).parent.name
            same = root / split / 'images' / Path(name).name
            assert (root / 'cls' / split / name).read_bytes() == same.read_bytes()
        with open(notes / f'scenes_{split}.csv') as file:
            table = {row['image']: row for row in csv.DictReader(file)}
        away = (notes / f'cls_{split}_away.txt').read_text().splitlines()
        assert {Path(line.split()[0]).name for line in away} == {
            name for name, row in table.items() if row['home'] == '0'
        }
        for row in table.values():
            assert (row['home'] == '1') == (TEXTURES[int(row['label'])] == row['texture'])


def test_classes_are_balanced(root):
    names = [p.parent.name for p in (root / 'cls' / 'val').glob('*/*.jpg')]
    assert set(Counter(names).values()) == {40 // 8}


# ------------------------------------------------------------------------------- making them


@pytest.mark.parametrize('processes', [2, 3])
def test_files_do_not_depend_on_the_number_of_processes(root, tmp_path, small_runs, processes):
    make_scenes(tmp_path / 'many', SMALL, processes=processes)
    assert digest(tmp_path / 'many') == digest(root)


def test_second_call_does_nothing(root, monkeypatch):
    before = {p: p.stat().st_mtime_ns for p in root.rglob('*')}
    monkeypatch.setattr(workers, 'write_run', None)  # would fail if called
    assert make_scenes(root, SMALL) is False
    assert before == {p: p.stat().st_mtime_ns for p in root.rglob('*')}


def test_interrupted_run_is_completed(root, tmp_path, small_runs, monkeypatch):
    folder, real, calls = tmp_path / 'cut', workers.write_run, []

    def breaks_down(*args):
        calls.append(args[2:])
        if len(calls) == 6:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(workers, 'write_run', breaks_down)
    with pytest.raises(KeyboardInterrupt):
        make_scenes(folder, SMALL, processes=1)
    assert not (folder / 'manifest.json').exists()
    assert make_scenes(folder, SMALL, processes=1)
    assert sorted(Counter(calls).values())[-1] == 2 and len(calls) == len(set(calls)) + 1
    assert digest(folder) == digest(root)


def test_failing_worker_is_reported(tmp_path, small_runs, monkeypatch):
    real = make.make_folders

    def without_labels(root, counts):
        real(root, counts)
        (root / 'tune' / 'labels').rmdir()

    monkeypatch.setattr(make, 'make_folders', without_labels)
    with pytest.raises(RuntimeError, match='worker.*failed: .*tune/labels'):
        make_scenes(tmp_path / 'x', SMALL, processes=2)
    assert not (tmp_path / 'x' / 'manifest.json').exists()
    monkeypatch.undo()
    assert make_scenes(tmp_path / 'x', SMALL, processes=1)


def test_interrupted_run_of_other_settings_leaves_nothing(root, tmp_path, small_runs, monkeypatch):
    folder, real = tmp_path / 'cut', workers.write_run
    with monkeypatch.context() as patch:
        patch.setattr(workers, 'write_run', lambda *a: real(*a) if a[3] < 16 else 1 / 0)
        with pytest.raises(ZeroDivisionError):
            make_scenes(
                folder, Settings(seed=1, counts=dict(SMALL.counts, unlabeled=64)), processes=1
            )
    assert make_scenes(folder, SMALL, processes=1)
    assert digest(folder) == digest(root)


def test_missing_files_are_made_again(root, tmp_path):
    folder = tmp_path / 'copy'
    shutil.copytree(root, folder)
    (folder / 'val' / 'labels' / '000007.png').unlink()
    assert make_scenes(folder, SMALL, processes=1) and digest(folder) == digest(root)


def test_other_settings_need_overwrite(root, tmp_path):
    folder = tmp_path / 'copy'
    shutil.copytree(root, folder)
    other = Settings(seed=1, counts=SMALL.counts)
    with pytest.raises(ValueError, match='other settings'):
        make_scenes(folder, other)
    assert digest(folder) == digest(root)
    (folder / 'notes.txt').write_text('mine')
    assert make_scenes(folder, other, processes=1, overwrite=True)
    assert (folder / 'notes.txt').read_text() == 'mine'
    assert json.loads((folder / 'manifest.json').read_text())['settings']['seed'] == 1


def test_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / 'thesis.txt').write_text('precious')
    for overwrite in (False, True):
        with pytest.raises(ValueError, match='holds other files'):
            make_scenes(tmp_path, SMALL, overwrite=overwrite)
    with pytest.raises(ValueError, match='is a file'):
        make_scenes(tmp_path / 'thesis.txt', SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ['thesis.txt']


def test_full_disk_is_said_before_the_first_image(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10 * 2**10)
    monkeypatch.setattr(make.shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(OSError, match='0 MiB free; make room'):
        make_scenes(tmp_path / 'new', SMALL)
    assert not list(tmp_path.rglob('*.jpg'))


def test_space_asked_for_is_enough(root):
    used = sum(p.stat().st_blocks * 512 for p in root.rglob('*') if p.is_file())
    assert used < SMALL.bytes_needed()


@pytest.mark.parametrize(
    'wrong',
    [
        dict(seed=-1),
        dict(size=16),
        dict(quality=0),
        dict(counts=dict(unlabeled=3)),
        dict(counts=dict(SMALL.counts, val=0)),
        dict(style=Style(home_share=1.5)),
    ],
)
def test_wrong_settings(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong))).replace('style', 'home_share')):
        Settings(**wrong)


def test_command_line(tmp_path, monkeypatch, capsys):
    script = Path(__file__).parents[2] / 'tools' / 'dataset_converters' / 'make_scenes.py'
    command = [
        str(script),
        '--out',
        str(tmp_path / 'x'),
        '--unlabeled',
        '9',
        '--train',
        '8',
        '--tune',
        '8',
        '--val',
        '8',
        '--processes',
        '1',
    ]
    for said in ('Made 33 scenes', 'Found 33 scenes'):
        monkeypatch.setattr(sys, 'argv', command)
        runpy.run_path(str(script), run_name='__main__')
        assert said in capsys.readouterr().out
    monkeypatch.setattr(sys, 'argv', command + ['--seed', '4'])
    with pytest.raises(SystemExit, match='other settings'):
        runpy.run_path(str(script), run_name='__main__')


# ------------------------------------------------------------------- what does not solve them


def nearest_neighbour(train, train_labels, test):
    """Label of the nearest training vector in L1, (M,)."""
    distance = np.abs(test[:, None] - train[None]).sum(2)
    return train_labels[distance.argmin(1)]


def colour_histogram(scene):
    """Joint RGB histogram with 4 bins a channel, (64,)."""
    bins = (scene.image // 64).reshape(-1, 3).astype(int) @ [16, 4, 1]
    return np.bincount(bins, minlength=64) / bins.size


def local_patterns(scene):
    """Histogram of rotation-invariant 8-neighbour patterns inside the dominant object, (256,).

    A texture-only feature of a cheat who is told where the object is.
    """
    grey, side = scene.image.astype(float).mean(2), len(scene.image)
    code = np.zeros((side - 2, side - 2), int)
    around = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    for bit, (y, x) in enumerate(around):
        code |= (grey[y : y + side - 2, x : x + side - 2] > grey[1:-1, 1:-1]).astype(int) << bit
    code = np.min([(code << k | code >> (8 - k)) & 255 for k in range(8)], axis=0)
    inside = cv2.erode((scene.owner == 1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.bincount(code[inside[1:-1, 1:-1]], minlength=256) / max(inside.sum(), 1)


def shape_mask(scene):
    """What a cheat sees who is told where the dominant object is: its mask at its own scale."""
    rows, columns = np.nonzero(scene.owner == 1)
    crop = (scene.owner == 1)[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return cv2.resize(crop.astype(np.float32), (16, 16), interpolation=cv2.INTER_AREA).ravel()


@pytest.fixture(scope='module')
def labelled():
    return [draw_scene(0, 'train', i) for i in range(304)], [
        draw_scene(0, 'val', i) for i in range(400)
    ]


def accuracy(feature, labelled):
    train, val = labelled
    truth = np.array([s.objects[0]['label'] for s in val])
    guess = nearest_neighbour(
        np.stack([feature(s) for s in train]),
        np.array([s.objects[0]['label'] for s in train]),
        np.stack([feature(s) for s in val]),
    )
    return (guess == truth).mean()


def test_colour_histograms_do_not_solve_it(labelled):
    """Chance is 1/8; 4 standard errors of 400 scenes above it are 19.1 %."""
    limit = 1 / 8 + 4 * np.sqrt(1 / 8 * 7 / 8 / 400)
    assert accuracy(colour_histogram, labelled) < limit
    # The same classifier on the outline is far above the limit, so the test can fail.
    assert accuracy(shape_mask, labelled) > 2 * limit


def test_texture_solves_nothing_but_its_share(labelled):
    """Texture finds the class on home scenes alone, and nothing where it is independent."""
    train, val = labelled
    home = [s for s in val if s.objects[0]['home']]
    away = [s for s in val if not s.objects[0]['home']]
    chance = 1 / 8 + 4 * np.sqrt(1 / 8 * 7 / 8 / len(away))
    assert accuracy(local_patterns, (train, away)) < chance
    # The feature does see texture, so the two limits can fail.
    assert accuracy(local_patterns, (train, home)) > 0.4
    style = Style(home_share=0.125)
    free = tuple(
        [draw_scene(0, split, i, style=style) for i in range(count)]
        for split, count in (('train', 304), ('val', 400))
    )
    assert accuracy(local_patterns, free) < 1 / 8 + 4 * np.sqrt(1 / 8 * 7 / 8 / 400)
