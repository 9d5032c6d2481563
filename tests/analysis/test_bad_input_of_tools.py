"""What people get wrong with the analysis tools ends in one sentence."""

import numpy as np
import pytest
import torch
from helpers import configs, matrix, tools
from PIL import Image

from mmmim.analysis.sources import build_model
from mmmim.engine.encoder_file import describe_encoder
from mmmim.engine.launch import load_config

MAE = configs.CONFIGS / 'demo/mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'
DRAWS = ('reconstruct', 'regressor skipped', 'psnr')
# tsne also takes labels, see its own tests.
OTHERS = (*matrix.WITHOUT_MODEL, 'regressor skipped', 'tsne')
LOOKS = [name for name in matrix.TOOLS if name not in OTHERS]


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('files')
    cfg = load_config(str(MAE))
    model = build_model(cfg)
    state, meta = model.state_dict(), describe_encoder(model, cfg)
    encoder = {n.removeprefix('backbone.'): v for n, v in state.items() if 'backbone.' in n}
    torch.save(dict(state_dict=encoder, meta=meta), folder / 'encoder.pth')
    for name, size in (('good', (64, 64)), ('small', (5, 70))):
        (folder / name).mkdir()
        pixels = np.zeros((*size, 3), np.uint8)
        for index in range(8):
            Image.fromarray(pixels).save(folder / name / f'{index}.png')
    (folder / 'empty').mkdir()
    (folder / 'texts').mkdir()
    (folder / 'texts/a.txt').write_text('no image')
    return folder


def call(tool, files, *models, images='good', **options):
    file, *quick = matrix.TOOLS[tool]
    words = [word for key, value in options.items() for word in (f'--{key}', *value)]
    where = ('--images', files / images, '--out', files / 'out')
    return tools.call(f'analysis/{file}', *models, *where, *quick, *words)


def sentence(ended) -> bool:
    return isinstance(ended, str) and ended.startswith('error: ') and '\n' not in ended


@pytest.mark.parametrize('tool', DRAWS)
def test_an_encoder_alone_is_refused_with_what_is_needed(tool, files):
    for models in ([files / 'encoder.pth'], [MAE, files / 'encoder.pth']):
        ended = call(tool, files, *models)
        assert sentence(ended) and 'has no decoder, only an encoder: what is needed is' in ended


@pytest.mark.parametrize('tool', LOOKS)
@pytest.mark.parametrize(
    'images, words',
    [
        ('empty', 'holds no file'),
        ('texts', '1 files but no image'),
        ('absent', 'does not exist'),
        ('small', '0.png has 5x70 pixels, less than a patch of 8x8'),
    ],
)
def test_images_that_do_not_do(tool, images, words, files):
    ended = call(tool, files, MAE, 'random', images=images)
    assert sentence(ended) and words in ended, ended


def test_images_of_patches_that_do_not_do(files):
    labels = files / 'labels'
    labels.mkdir()
    for index in range(8):
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(labels / f'{index}.png')
    for images, words in (('small', 'less than a patch of 8x8'), ('empty', 'has a label map')):
        where = ('--images', files / images, '--labels', labels, '--out', files / 'out')
        ended = tools.call('analysis/tsne.py', MAE, 'random', *where)
        assert sentence(ended) and words in ended, ended


def test_options_that_no_part_takes(files):
    ended = call('reconstruct', files, MAE, 'random', **{'cfg-options': ['model.none=3']})
    assert sentence(ended) and 'cannot be built: MaskedImageModeling' in ended, ended


@pytest.mark.parametrize('tool', LOOKS)
def test_sizes_that_do_not_do(tool, files):
    for size, words in ((['4'], 'smaller than a patch'), (['60', '64'], 'does not divide')):
        ended = call(tool, files, MAE, 'random', size=size)
        assert sentence(ended) and words in ended, ended


@pytest.mark.parametrize('tool', LOOKS)
def test_files_that_do_not_do(tool, files):
    torch.save(dict(a=1), files / 'none.pth')
    for models, words in (
        ([files / 'absent.pth'], 'does not exist'),
        ([files / 'none.pth'], 'no tensors'),
        ([files / 'absent.py', 'random'], 'there is no config file'),
    ):
        ended = call(tool, files, *models)
        assert sentence(ended), ended
        assert words in ended or 'carries no config' in ended, ended


def test_configs_of_another_kind(files):
    for tool, words in (
        ('predictions.py', (MAE, f'a={files / "encoder.pth"}')),
        ('frozen_probe.py', (MAE, files / 'encoder.pth')),
    ):
        ended = tools.call(f'analysis/{tool}', *words, '--out', files / 'out')
        assert sentence(ended) and '_dataloader: give' in ended and 'config of' in ended, ended


def test_corruptions_that_are_not_there(files):
    ended = call('corruptions', files, 'Nonsense')
    assert sentence(ended) and "there is no corruption 'Nonsense'" in ended
    ended = tools.call(
        'analysis/reconstruct.py', MAE, 'random', '--images', files / 'good', '--out',
        files / 'out', '--corruption', 'Nonsense',
    )  # fmt: skip
    assert sentence(ended) and "there is no corruption 'Nonsense'" in ended


def test_parts_that_do_not_fit_another_corruption(files):
    """The decoder of MAE was trained with hidden patches, a degradation hides none."""
    options = dict(corruption=['RandomBlur'])
    ended = call('reconstruct', files, MAE, 'random', **options)
    assert sentence(ended) and 'mask_tokens' in ended
    assert call('reconstruct', files, MAE, 'random', corruption=['BlockMasking']) is None
