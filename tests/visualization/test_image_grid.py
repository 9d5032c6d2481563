import numpy as np
import pytest
import torch

from mmmim.visualization.image_grid import ImageGrid, to_uint8


def grid():
    rng = np.random.default_rng(0)
    rows = [[rng.integers(0, 256, (h, 32, 3), dtype=np.uint8) for _ in range(3)] for h in (32, 16)]
    return ImageGrid(
        ['input', 'prediction', 'target'], rows, 'How to read it.', ['a', ''], [('star', '#e69f00')]
    )


def test_save_and_load_give_the_same_pictures(tmp_path):
    sheet = grid().save(tmp_path)
    assert sheet.is_file()
    loaded = ImageGrid.load(tmp_path)
    assert loaded.columns == grid().columns and loaded.caption == grid().caption
    assert loaded.notes == ['a', ''] and loaded.legend == [('star', '#e69f00')]
    for mine, theirs in zip(sum(grid().rows, []), sum(loaded.rows, [])):
        assert np.array_equal(mine, theirs)


def test_sheet_holds_every_tile_at_its_place():
    pictures = [np.full((32, 32, 3), value, np.uint8) for value in (10, 90, 200)]
    page = np.asarray(ImageGrid(['a', 'b', 'c'], [pictures]).sheet(tile_width=64))
    counts = [(page == value).all(-1).sum() for value in (10, 90, 200)]
    assert counts == [64 * 64] * 3


def test_rows_must_fill_the_columns():
    with pytest.raises(ValueError, match='2 columns'):
        ImageGrid(['a', 'b'], [[np.zeros((4, 4, 3), np.uint8)]])


def test_to_uint8_clips_and_moves_channels():
    images = torch.tensor([-1.0, 0.5, 2.0]).view(1, 3, 1, 1).expand(2, 3, 4, 5)
    out = to_uint8(images)
    assert out.shape == (2, 4, 5, 3) and out.dtype == np.uint8
    assert out[0, 0, 0].tolist() == [0, 128, 255]
