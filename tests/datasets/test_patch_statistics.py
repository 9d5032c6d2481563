import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmmim.datasets.statistics import PatchSums, collect, load_patch_stats, save_patch_stats

TOOL = Path(__file__).parents[2] / 'tools' / 'misc' / 'target_stats.py'
SIZES = ('--patch-size', 8, '--resize', 40, '--crop', 32)


def reference(images, patch):
    """Two passes in float64 over every patch, as loops; ``images`` are (H, W, 3) uint8."""
    patches = []
    for image in images:
        for top in range(0, image.shape[0], patch):
            for left in range(0, image.shape[1], patch):
                values = []
                for row in range(patch):
                    for column in range(patch):
                        values.extend(image[top + row, left + column] / 255)
                patches.append(values)
    patches = np.array(patches)
    mean = patches.sum(axis=0) / len(patches)
    return mean, ((patches - mean) ** 2).sum(axis=0) / len(patches)


def fixed_crop(path, resize=40, crop=32):
    image = Image.open(path).convert('RGB')
    short = min(image.size)
    image = image.resize([side * resize // short for side in image.size], Image.BICUBIC)
    left, top = (round((side - crop) / 2) for side in image.size)
    return np.asarray(image.crop((left, top, left + crop, top + crop)))


@pytest.fixture
def tool(capsys):
    """Function (folder, out, *options): runs the tool in this process, returns its output."""
    spec = importlib.util.spec_from_file_location('target_stats', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(folder, out, *more):
        module.main([str(a) for a in (folder, '--out', out, *SIZES, *more)])
        return capsys.readouterr().out

    return run


def test_sums_equal_two_passes():
    images = torch.randint(0, 256, (5, 3, 16, 24), dtype=torch.uint8)
    images[:, :, :3] = 250  # values far from zero, little variance: where one pass in floats fails
    mean, var = reference([i.permute(1, 2, 0).numpy() for i in images], 8)
    sums = PatchSums(8).add(images)
    assert (sums.images, sums.patches) == (5, 30)
    assert np.abs(sums.stats().mean - mean).max() < 1e-14
    assert np.abs(sums.stats().var - var).max() < 1e-14
    assert (
        PatchSums(8).add(torch.full((9, 3, 8, 8), 77, dtype=torch.uint8)).stats().var == 0
    ).all()


def test_merging_is_exact_in_any_order():
    images = torch.randint(0, 256, (12, 3, 16, 16), dtype=torch.uint8)
    whole = PatchSums(8).add(images).stats()
    merged = PatchSums(8)
    for part in (images[7:], images[:2], images[2:7]):
        merged.merge(PatchSums(8).add(part))
    merged.merge(PatchSums(8))
    assert np.array_equal(merged.stats().mean, whole.mean)
    assert np.array_equal(merged.stats().var, whole.var)
    one_less = PatchSums(8).add(images[1:]).stats()
    assert not np.allclose(one_less.mean, whole.mean, atol=1e-6)


def test_large_counts_do_not_overflow():
    sums = PatchSums(1).add(torch.full((1, 3, 1, 1), 255, dtype=torch.uint8))
    for _ in range(38):  # 2.7e11 patches, a thousand times ImageNet's
        sums.merge(sums)
    assert (
        sums.patches == 2**38 and (sums.stats().mean == 1).all() and (sums.stats().var == 0).all()
    )


def test_wrong_input():
    with pytest.raises(TypeError, match='uint8'):
        PatchSums(8).add(torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match='does not divide'):
        PatchSums(8).add(torch.zeros(1, 3, 12, 8, dtype=torch.uint8))
    with pytest.raises(ValueError, match='no image was read'):
        PatchSums(8).stats()


def test_tool_equals_the_reference_for_any_number_of_workers(folder, tmp_path, tool):
    (folder / 'a' / 'broken.jpg').write_bytes(b'no image')
    paths = sorted(folder.glob('*/[0-9]*.jpg'))
    results = []
    for workers in (0, 1, 3):
        out = tmp_path / f'stats{workers}.npz'
        printed = tool(folder, out, '--workers', workers)
        assert '12 images, 192 patches of 8x8' in printed and 'skipped a/broken.jpg' in printed
        results.append(np.load(out))
    for result in results[1:]:
        assert all(np.array_equal(result[key], results[0][key]) for key in results[0].files)
    saved = results[0]
    mean, var = reference([fixed_crop(path) for path in paths], 8)
    # PIL and torch resize alike up to one grey level; the sums themselves are exact, see above
    assert (
        np.abs(saved['mean'] - mean).max() < 0.6 / 255
        and np.abs(saved['var'] / var - 1).max() < 0.02
    )
    assert (saved['count'], saved['images'], saved['patch_size']) == (192, 12, 8)
    assert json.loads(str(saved['crop'])) == dict(mode='fixed', resize=40, size=32)
    assert (
        json.loads(str(saved['skipped'])) == ['a/broken.jpg']
        and len(str(saved['list_sha256'])) == 64
    )
    loaded = load_patch_stats(tmp_path / 'stats0.npz', 8)
    assert np.array_equal(loaded.mean, saved['mean']) and np.array_equal(loaded.var, saved['var'])


def test_collect_equals_the_reference_on_its_own_crops(folder):
    from mmengine.registry import DATASETS

    pipeline = [dict(type='mmmim.RandomResizedCrop', size=32), dict(type='mmmim.RandomFlip')]
    config = dict(
        type='mmmim.ImageFolder', data_root=folder, pipeline=pipeline, seed=4, broken='none'
    )
    dataset = DATASETS.build(config)
    seen = []
    stats = collect(dataset, 8, passes=3, batch_size=5, progress=seen.append).stats()
    images = [
        dataset[(e, i)]['image'].permute(1, 2, 0).numpy() for e in range(3) for i in range(12)
    ]
    mean, var = reference(images, 8)
    assert np.abs(stats.mean - mean).max() < 1e-14 and np.abs(stats.var - var).max() < 1e-14
    assert seen[-1] == 36


def test_tool_with_train_crops(folder, tmp_path, tool):
    options = ['--stats-crop', 'train', '--passes', 2, '--scale', 0.5, 1, '--workers', 0]
    for name, seed in (('a', 0), ('b', 0), ('c', 1)):
        tool(folder, tmp_path / f'{name}.npz', *options, '--seed', seed)
    a, b, c = (np.load(tmp_path / f'{name}.npz') for name in 'abc')
    assert np.array_equal(a['mean'], b['mean']) and not np.array_equal(a['mean'], c['mean'])
    assert a['images'] == 24 and json.loads(str(a['crop']))['passes'] == 2


@pytest.mark.parametrize(
    'options, message',
    [
        (['--patch-size', '7'], 'does not divide --crop 32'),
        (['--resize', '16'], 'smaller than --crop'),
        (['--passes', '2'], 'needs --stats-crop train'),
    ],
)
def test_tool_refuses(folder, tmp_path, tool, options, message):
    with pytest.raises(ValueError, match=message):
        tool(folder, tmp_path / 'x.npz', *options)
    assert not (tmp_path / 'x.npz').exists()


def test_tool_ends_with_one_sentence(tmp_path):
    command = [sys.executable, str(TOOL), str(tmp_path / 'nowhere'), '--out', 'x.npz']
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1 and len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith('target_stats: ') and "nowhere' does not exist" in result.stderr


def test_loading_says_what_is_wrong_and_how_to_mend_it(tmp_path):
    good = tmp_path / 'good.npz'
    sums = PatchSums(8).add(torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8))
    save_patch_stats(good, sums, {}, '0' * 64, [])
    assert load_patch_stats(good, 8).mean.shape == (192,) and list(tmp_path.iterdir()) == [good]
    (tmp_path / 'text.npz').write_text('hello')
    np.savez(tmp_path / 'other.npz', x=1)
    remedy = '.*make it with `python tools/misc/target_stats.py'
    cases = [
        ('gone.npz', 8, 3, 'do not exist'),
        ('text.npz', 8, 3, 'is no file of patch statistics'),
        ('other.npz', 8, 3, 'is no file of patch statistics'),
        ('good.npz', 16, 3, r'patch_size=8 \(192 values\), the model has patch_size=16'),
        ('good.npz', 8, 4, r'4 channels \(256\)'),
    ]
    for name, patch, channels, message in cases:
        with pytest.raises(ValueError, match=message + remedy):
            load_patch_stats(tmp_path / name, patch, channels)
