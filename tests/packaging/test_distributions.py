"""Wheels and sdists carry the configs and tools, and so does a wheel made from an sdist."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP_LEFT_OUT = ('.git', '.venv', 'venv', 'work_dirs', 'data', 'build', 'dist')
CARRIED = ('configs', 'tools')


def build(source, kind, folder):
    """Run the build backend in ``source``; ``kind`` is sdist or wheel. Returns the file."""
    code = f'import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])'
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, '-c', code, str(folder)], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.iterdir()
    return built


def left_out(folder, names):
    """What is not copied: environments and outputs at the top, and what earlier builds left."""
    at_top = TOP_LEFT_OUT if Path(folder) == ROOT else ()
    return [name for name in names if name in at_top or name.endswith('.egg-info')]


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """``(sdist, wheel, wheel from the sdist)``, of a copy so that the checkout stays clean."""
    folder = tmp_path_factory.mktemp('built')
    shutil.copytree(ROOT, folder / 'copy', symlinks=True, ignore=left_out)
    sdist = build(folder / 'copy', 'sdist', folder / 'sdist')
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / 'unpacked', filter='data')
    (unpacked,) = (folder / 'unpacked').iterdir()
    return (
        sdist,
        build(folder / 'copy', 'wheel', folder / 'wheel'),
        build(unpacked, 'wheel', folder / 'second'),
    )


def carried_files():
    """The files under configs/ and tools/, relative to the repository, compiled Python left out."""
    files = [path for name in CARRIED for path in (ROOT / name).rglob('*') if path.is_file()]
    return {
        str(path.relative_to(ROOT))
        for path in files
        if path.suffix not in ('.pyc', '.pyo') and '__pycache__' not in path.parts
    }


def files_of(archive, prefix):
    """Names in an archive below a prefix, without it."""
    if archive.suffix == '.whl':
        names = zipfile.ZipFile(archive).namelist()
    else:
        with tarfile.open(archive) as opened:
            names = [member.name.split('/', 1)[1] for member in opened if member.isfile()]
    return {name[len(prefix) :] for name in names if name.startswith(prefix)}


@pytest.mark.parametrize('which', [0, 1, 2], ids=['sdist', 'wheel', 'wheel from sdist'])
def test_configs_and_tools_are_carried(built, which):
    found = files_of(built[which], 'mmmim/.mim/')
    assert {name for name in found if name.split('/')[0] in CARRIED} == carried_files()
    assert 'model-index.yml' in found


def test_the_sdist_has_what_a_checkout_has(built):
    found = files_of(built[0], '')
    assert {
        'setup.cfg',
        'pyproject.toml',
        'LICENSE',
        'README.md',
        'CHANGELOG.md',
        '.ci/run',
        'requirements/constraints.txt',
        'model-index.yml',
        'tools/setup_env.sh',
    } <= found
    assert carried_files() <= found


def test_the_wheel_has_every_module_and_no_test(built):
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / 'mmmim').rglob('*.py')
        if '.mim' not in path.parts
    }
    found = {name for name in files_of(built[1], '') if '/.mim/' not in name}
    assert modules <= found
    assert not [name for name in found if name.startswith(('tests', 'tools', 'configs'))]


def test_a_wheel_is_used_from_an_unrelated_folder(built, tmp_path):
    site = tmp_path / 'site'
    zipfile.ZipFile(built[1]).extractall(site)
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    code = (
        'from pathlib import Path; import mmmim, mmengine\n'
        'home = Path(mmmim.__file__).parent\n'
        'paths = sorted((home / ".mim" / "configs").glob("[!_]*/*.py"))\n'
        'for path in paths: mmengine.Config.fromfile(path)\n'
        'print(home, len(paths))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(site)},
    )
    assert done.returncode == 0, done.stderr
    configs = list((ROOT / 'configs').glob('[!_]*/*.py'))
    assert done.stdout.split() == [str(site / 'mmmim'), str(len(configs))]
