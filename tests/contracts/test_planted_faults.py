"""The planted faults themselves: they fit the source, and the tool tells red from green."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / 'tools' / 'misc'

HARMLESS = """
import sys
import plant_faults
from planted_faults import Fault
edit = ('mmmim/version.py', '__version__', '# a comment changes nothing\\n__version__')
plant_faults.FAULTS = (Fault('harmless', (edit,), ('tests/models/test_position.py',)),)
sys.exit(plant_faults.main(['harmless']))
"""


@pytest.fixture(scope='module')
def tools():
    sys.path.insert(0, str(FOLDER))
    import plant_faults
    import planted_faults

    yield plant_faults, planted_faults
    sys.path.remove(str(FOLDER))


def test_every_fault_fits_the_source(tools, tmp_path):
    plant_faults, planted_faults = tools
    names = [fault.name for fault in planted_faults.FAULTS]
    assert len(set(names)) == len(names) >= 30
    for fault in planted_faults.FAULTS:
        tree = tmp_path / fault.name
        for file, _, _ in fault.edits:
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            (tree / file).write_text((ROOT / file).read_text())
        before = plant_faults.plant(fault, tree)
        for path, text in before.items():
            assert path.read_text() != text
            compile(path.read_text(), str(path), 'exec')
        for test in fault.tests:
            assert (ROOT / test.split('::')[0]).is_file()


def test_a_text_that_is_not_there_is_refused(tools, tmp_path):
    plant_faults, planted_faults = tools
    (tmp_path / 'a.py').write_text('x = 1\nx = 1\n')
    for old in ('y', 'x = 1'):
        fault = planted_faults.Fault('none', (('a.py', old, 'z'),), ())
        with pytest.raises(ValueError, match='times in a.py: adapt the fault'):
            plant_faults.plant(fault, tmp_path)


def run(*command):
    return subprocess.run(
        [sys.executable, '-W', 'ignore', *command], cwd=FOLDER, capture_output=True, text=True
    )


@pytest.mark.long
def test_a_fault_that_nobody_notices_is_reported():
    done = run('-c', HARMLESS)
    assert done.returncode == 1, done.stdout + done.stderr
    assert 'GREEN  harmless: the tests stayed green' in done.stdout


@pytest.mark.long
def test_every_fault_turns_the_tests_red():
    done = run('plant_faults.py')
    assert done.returncode == 0, done.stdout + done.stderr
