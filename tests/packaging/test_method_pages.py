"""Every method has a page and a metafile, both complete; mixtures are configs and nothing else."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs'
TRANSFER = {'classification', 'detection', 'segmentation'}
PAGES = sorted(path for path in CONFIGS.iterdir() if path.name not in ('_base_', 'demo'))
METHODS = [path for path in PAGES if path.name not in TRANSFER]
WANTED = set(
    'mae robust_mae cae beyond_masking r_mae c_mae beit simmim maskfeat mocov3 dino ibot splitmask '
    'a2mim ge2ae deit mixtures'.split()
)


def name(folder):
    return folder.name


def test_the_methods_of_the_papers_and_their_baselines_are_there():
    assert {folder.name for folder in METHODS} >= WANTED


@pytest.mark.parametrize('folder', PAGES, ids=name)
def test_the_page_says_what_it_is_and_names_every_config(folder):
    text = (folder / 'README.md').read_text()
    assert text.startswith('# ')
    opening = text.split('\n|')[0]
    assert 3 <= len(opening.splitlines()) <= 45, 'five lines of what it is come before the table'
    missing = [path.name for path in folder.glob('*.py') if path.name not in text]
    assert missing == []
    commands = re.findall(r'tools/\S+ (configs/\S+\.py)', text)
    assert commands and all((ROOT / path).is_file() for path in commands)


@pytest.mark.parametrize('folder', PAGES, ids=name)
def test_commands_start_as_many_processes_as_the_name_says(folder):
    """Fewer would accumulate, which is another method where the batch enters the loss."""
    for path in [folder / 'README.md', *sorted(folder.glob('*.py'))]:
        for config, count in re.findall(
            r'dist_train\.sh\s+(configs/\S+\.py)\s+(\d+)', path.read_text()
        ):
            assert path.suffix != '.py' or ROOT / config == path
            assert re.search(r'_(\d+)xb\d', config)[1] == count, f'{path.name}: {config} {count}'


@pytest.mark.parametrize('folder', PAGES, ids=name)
def test_links_lead_somewhere(folder):
    links = re.findall(r'\]\(([^)#]+)[^)]*\)', (folder / 'README.md').read_text())
    local = [link for link in links if '://' not in link]
    assert local and [link for link in local if not (folder / link).exists()] == []


@pytest.mark.parametrize('folder', METHODS, ids=name)
def test_numbers_have_an_owner(folder):
    """The papers' are labelled or said to be missing, and ours are in one place."""
    text = (folder / 'README.md').read_text()
    assert 'docs/results.md' in text
    assert re.search(r'paper|not in our copy', text)


@pytest.mark.parametrize('folder', PAGES, ids=name)
def test_the_metafile_lists_every_config(folder):
    content = yaml.safe_load((folder / 'metafile.yml').read_text())
    (collection,) = content['Collections']
    assert collection['Name'] and 'Paper' in collection
    assert (ROOT / collection['README']).resolve() == folder / 'README.md'
    assert 'Code' not in collection or (ROOT / collection['Code']).is_file()
    models = content['Models']
    assert {model['In Collection'] for model in models} == {collection['Name']}
    paths = {path.stem: path for path in folder.glob('*.py')}
    assert [model['Name'] for model in models] == sorted(paths)
    for model in models:
        assert ROOT / model['Config'] == paths[model['Name']]
        assert set(model) <= {'Name', 'In Collection', 'Config', 'Metadata', 'Results', 'Weights'}


def test_mixtures_are_short_and_hold_no_code():
    paths = sorted((CONFIGS / 'mixtures').glob('*.py'))
    assert len(paths) >= 5
    allowed = (ast.Assign, ast.Call, ast.Constant, ast.Dict, ast.Expr, ast.keyword, ast.List)
    allowed += (ast.Load, ast.Module, ast.Name, ast.Store, ast.Tuple)
    for path in paths:
        text = path.read_text()
        assert len(text.splitlines()) <= 20, path.name
        tree = ast.parse(text)
        assert all(isinstance(node, allowed) for node in ast.walk(tree)), path.name
        called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert called <= {'dict'}, path.name
