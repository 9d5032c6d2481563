"""Names of config files: ours are in order, and every planted mistake is found."""

import pytest
from helpers import configs

from mmmim.engine.config_lint import lint

NAME = 'mae_vit-base-p16_8xb512-amp-coslr-800e_in1k'
SOURCE = configs.CONFIGS / f'mae/{NAME}.py'


@pytest.mark.parametrize('path', configs.config_paths(), ids=configs.name)
def test_config_is_in_order(path):
    assert lint(str(path)) == []


def lint_as(tmp_path, name, text='', docstring='"""Run it: tools/train.py THIS"""'):
    folder = tmp_path / 'mae'
    folder.mkdir(exist_ok=True)
    path = folder / f'{name}.py'
    path.write_text(f"{docstring}\n_base_ = '{SOURCE}'\n{text}\n")
    return lint(str(path))


@pytest.mark.parametrize(
    'name, words',
    [
        ('mae_vit-base-p16_8xb512-amp-coslr-1600e_in1k', '1600e'),
        ('mae_vit-base-p16_8xb512-coslr-800e_in1k', 'no amp'),
        ('mae_vit-base-p16_8xb64-amp-coslr-800e_in1k', '64'),
        ('mae_vit-base-p16_4xb512-amp-coslr-800e_in1k', '2048'),
        ('mae_vit-base-p14_8xb512-amp-coslr-800e_in1k', 'p14'),
        ('mae_vit-large-p16_8xb512-amp-coslr-800e_in1k', 'large'),
        ('mae_vit-base-p16_8xb512-amp-polylr-800e_in1k', 'polylr'),
        ('mae_vit-base-p16_8xb512-amp-800e_in1k', 'no schedule'),
        ('mae_vit-base-p16_8xb512-amp-coslr_in1k', 'no length'),
        ('mae_vit-base-p16_8xb512-amp-coslr-800e_in1k-96px', '96 px'),
        ('simmim_vit-base-p16_8xb512-amp-coslr-800e_in1k', 'simmim'),
        ('mae_vit-base-p16_8xb512-amp-coslr-800e', 'fields'),
        ('mae_vitbase_8xb512-amp-coslr-800e_in1k', 'vitbase'),
        ('mae_vit-base-p16_b512-amp-coslr-800e_in1k', 'b512-amp'),
    ],
)
def test_a_name_that_lies(tmp_path, name, words):
    problems = lint_as(tmp_path, name)
    assert problems and any(words in problem for problem in problems)


@pytest.mark.parametrize(
    'text, words',
    [
        ("optim_wrapper = dict(type='AmpOptimWrapper')", 'refuses CPUs'),
        ('auto_scale_lr = dict(base_batch_size=1024)', 'base_batch_size is 1024'),
        ('model = dict(backbone=dict(imgsize=3))', 'imgsize'),
        ('spare = 1', 'spare'),
        ('this is no config', 'does not load'),
    ],
)
def test_a_config_that_lies(tmp_path, text, words):
    problems = lint_as(tmp_path, NAME, text)
    assert len(problems) == 1 and words in problems[0]


def test_a_good_copy_and_docstrings(tmp_path):
    assert lint_as(tmp_path, NAME) == []
    assert 'no docstring' in lint_as(tmp_path, NAME, docstring='')[0]
    assert 'no command' in lint_as(tmp_path, NAME, docstring='"""Words."""')[0]
