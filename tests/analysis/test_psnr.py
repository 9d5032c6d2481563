"""PSNR against scikit-image; the tool against the functions."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from mmmim.analysis.psnr import mean_psnr, psnr, reconstruction_psnr
from mmmim.analysis.reconstruction import load_images
from mmmim.registry import MODELS

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/demo/r-mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'


def test_it_is_that_of_scikit_image():
    images, reference = torch.rand(3, 3, 8, 10), torch.rand(3, 3, 8, 10)
    region = torch.rand(3, 1, 8, 10) < 0.5
    whole, part = psnr(images, reference), psnr(images, reference, region)
    for n in range(3):
        truth, image = reference[n].numpy(), images[n].numpy()
        inside = region[n].expand(3, -1, -1).numpy()
        expected = peak_signal_noise_ratio(truth, image, data_range=1)
        assert whole[n].item() == pytest.approx(expected, abs=1e-4)
        expected = peak_signal_noise_ratio(truth[inside], image[inside], data_range=1)
        assert part[n].item() == pytest.approx(expected, abs=1e-4)


def test_values_are_clamped_and_equal_images_are_finite():
    reference = torch.ones(1, 3, 4, 4)
    assert psnr(reference + 5, reference).item() == 100
    assert psnr(reference - 5, reference).item() == pytest.approx(0, abs=1e-5)


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('files')
    (folder / 'images').mkdir()
    rng = np.random.default_rng(0)
    for index in range(5):
        pixels = rng.integers(0, 256, (80, 100, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / 'images' / f'{index}.png')
    cfg = Config.fromfile(CONFIG)
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
        model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), folder / 'whole.pth')
    return folder, model.eval()


def test_regions(files):
    folder, model = files
    views = model.data_preprocessor(load_images(folder / 'images', 5, 64), False)['inputs']
    result = model.reconstruct(views)
    expected = {
        'all': psnr(result.pred, result.input),
        'composite': psnr(result.pasted, result.input),
    }
    for region, value in expected.items():
        assert torch.equal(reconstruction_psnr(result, region), value)
    # three quarters of the pixels carry all of the composite's error
    masked = reconstruction_psnr(result, 'masked')
    torch.testing.assert_close(masked, expected['composite'] + 10 * np.log10(0.75))
    model.psnr_region = 'masked'
    torch.testing.assert_close(model.loss(views)['psnr'], masked.mean())
    with pytest.raises(ValueError, match="region must be one of .* got 'half'"):
        reconstruction_psnr(result, 'half')


def test_the_tool_prints_the_mean(files):
    folder, model = files
    tool = ROOT / 'tools/analysis/psnr.py'
    options = ['--images', folder / 'images', '--batch-size', '2', '--num-workers', '0']
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', tool, CONFIG, folder / 'whole.pth', *options],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    batches = [load_images(folder / 'images', 5, 64)]
    value, count = mean_psnr(model, batches)
    assert count == 5
    assert f'PSNR {value:.2f} dB over 5 images (masked patches)' in done.stdout
