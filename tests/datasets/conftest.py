import numpy as np
import pytest
from PIL import Image


def _picture(height, width, seed=0):
    """(H, W, 3) uint8: smooth colours with some noise, so that crops and resizes show."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.BICUBIC))
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope='session')
def picture():
    """Function (height, width, seed=0) -> (H, W, 3) uint8."""
    return _picture


@pytest.fixture
def folder(tmp_path):
    """Twelve JPEG files of several sizes in two sub-folders; returns the root."""
    for i in range(12):
        sub = tmp_path / 'photos' / ('b' if i % 2 else 'a')
        sub.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(_picture(40 + 3 * i, 60 - 2 * i, seed=i))
        image.save(sub / f'{i:02d}.jpg', quality=92)
    return tmp_path / 'photos'
