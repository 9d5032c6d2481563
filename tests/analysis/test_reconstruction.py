import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from mmmim.analysis import reconstruction
from mmmim.registry import MODELS
from mmmim.visualization.image_grid import ImageGrid

ROOT = Path(__file__).parents[2]
CONFIG = next((ROOT / 'configs/demo').glob('robust-mae-pixel*.py'))


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A folder of images that are not square, and a whole checkpoint of the demo model."""
    folder = tmp_path_factory.mktemp('files')
    rng = np.random.default_rng(0)
    (folder / 'images').mkdir()
    for index in range(5):
        pixels = rng.integers(0, 256, (80, 100, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / 'images' / f'{index}.png')
    cfg = Config.fromfile(CONFIG)
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    torch.save(dict(state_dict=model.state_dict()), folder / 'whole.pth')
    encoder = {k: v for k, v in model.state_dict().items() if k.startswith('backbone.')}
    torch.save(dict(state_dict=encoder), folder / 'encoder.pth')
    return folder


def test_columns_are_what_they_are_called(files):
    model = reconstruction.load_model(CONFIG, files / 'whole.pth')
    batch = reconstruction.load_images(files / 'images', 3, 64)
    mask = torch.zeros(3, 8, 8, dtype=torch.bool)
    mask[:, :4] = True
    grid = reconstruction.reconstruct_images(model, batch, mask, note='Mine.')
    assert grid.columns == ['input', 'corrupted', 'prediction', 'pasted', 'target']
    for number, row in enumerate(grid.rows):
        image, corrupted, prediction, pasted, target = (tile.astype(int) for tile in row)
        clean = batch['inputs']['image'][number].permute(1, 2, 0).numpy().astype(int)
        assert abs(image - clean).max() <= 1 and abs(target - clean).max() <= 1
        assert (corrupted[:32] == 128).all() and abs(corrupted[32:] - clean[32:]).max() <= 1
        assert (pasted[:32] == prediction[:32]).all()
        assert abs(pasted[32:] - clean[32:]).max() <= 1
    assert grid.caption.startswith('Mine. 50 % of the patches are hidden.')
    assert 'without the true statistics' in grid.caption


def test_masks_are_the_same_in_every_call(files):
    model = reconstruction.load_model(CONFIG, files / 'whole.pth')
    batch = reconstruction.load_images(files / 'images', 2, 64)
    first, second = (reconstruction.reconstruct_images(model, batch).rows for _ in range(2))
    for one, other in zip(sum(first, []), sum(second, [])):
        assert np.array_equal(one, other)


def test_images_are_spread_over_the_folder(files):
    batch = reconstruction.load_images(files / 'images', 9, 64)
    assert batch['inputs']['sample_index'].tolist() == [0, 1, 2, 3, 4]
    assert reconstruction.load_images(files / 'images', 2, 64)['inputs'][
        'sample_index'
    ].tolist() == [0, 2]


def test_checkpoint_without_decoder_is_refused(files):
    with pytest.raises(ValueError, match='has no decoder'):
        reconstruction.load_model(CONFIG, files / 'encoder.pth')


def test_tool_writes_sheet_and_tiles_from_another_folder(files, tmp_path):
    tool = ROOT / 'tools/analysis/reconstruct.py'
    arguments = ['--images', files / 'images', '--num', '2', '--out', tmp_path / 'out']
    command = [sys.executable, tool, CONFIG, files / 'whole.pth', *arguments]
    subprocess.run(list(map(str, command)), check=True, cwd=tmp_path, capture_output=True)
    assert len(ImageGrid.load(tmp_path / 'out').rows) == 2
    assert (tmp_path / 'out' / 'sheet.png').is_file()


def test_caption_says_where_true_statistics_flatter_the_model(files):
    model = reconstruction.load_model(CONFIG, files / 'whole.pth')
    model.target.per_patch = True
    batch = reconstruction.load_images(files / 'images', 1, 64)
    assert 'this flatters it' in reconstruction.reconstruct_images(model, batch).caption
    model.target.per_channel = True
    assert 'every colour channel' in reconstruction.reconstruct_images(model, batch).caption


def test_pipelines_without_chance():
    """Central crops for random ones, also within views; flips and jitter go, the rest stays."""
    crop, flip = dict(type='mmmim.RandomResizedCrop', size=80), dict(type='mmmim.RandomFlip')
    inner = [dict(type='mmmim.CenterCrop', size=64), dict(type='mmmim.ColorJitter')]
    views = dict(type='mmmim.MultiView', views=dict(wide=[], image=inner))
    central = [dict(type='mmmim.ResizeShort', size=80), dict(type='mmmim.CenterCrop', size=80)]
    kept = dict(type='mmmim.MultiView', views=dict(wide=[], image=inner[:1]))
    assert reconstruction.still_pipeline([crop, flip, views]) == [*central, kept]


@pytest.mark.parametrize('task', ['zoomin-mask', 'zoomout', 'decolor'])
def test_degradations_are_drawn_with_the_views_that_they_need(files, tmp_path, task):
    config = next((ROOT / 'configs/demo').glob(f'beyond-masking-{task}_*.py'))
    cfg = Config.fromfile(config)
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'whole.pth')
    model = reconstruction.load_model(config, tmp_path / 'whole.pth')
    batch = reconstruction.load_images(files / 'images', 2, reconstruction.load_pipeline(config))
    grid = reconstruction.reconstruct_images(model, batch)
    zooms = ['whole prediction', 'whole target'] if 'zoom' in task else []
    assert grid.columns == ['input', 'corrupted', 'prediction', 'pasted', 'target', *zooms]
    assert all(tile.shape == (64, 64, 3) for row in grid.rows for tile in row)
    grey = [(row[1] == row[1][..., :1]).all() for row in grid.rows]
    assert all(grey) is (task == 'decolor')
