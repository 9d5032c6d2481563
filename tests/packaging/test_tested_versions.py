"""The table of tested environments comes from reports of pytest, and the page shows it."""

import importlib.util
import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CASES = """
def test_passes(): pass
def test_fails(): assert False
def test_skips():
    import pytest
    pytest.skip('needs a GPU')
"""


@pytest.fixture(scope='module')
def tool():
    path = ROOT / 'tools/misc/tested_versions.py'
    spec = importlib.util.spec_from_file_location('tested_versions', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_run_becomes_a_row_and_replaces_an_older_one(tool, tmp_path, monkeypatch, capsys):
    cases, rows = tmp_path / 'test_three.py', tmp_path / 'rows.json'
    cases.write_text(CASES)
    monkeypatch.setattr(tool, 'probe', lambda code: ('', None))
    words = ['--rows', str(rows), '--what', 'three', '--', '-p', 'no:cacheprovider', '-q']
    words += ['--rootdir', str(tmp_path), '-c', '/dev/null', str(cases)]
    for _ in range(2):
        assert tool.main(words) == 1
    (row,) = json.loads(rows.read_text())
    assert row['passed'] == 1 and row['failed'] == ['test_three::test_fails']
    assert row['skipped'] == {'needs a GPU': 1}
    assert row['python'] == '.'.join(map(str, sys.version_info[:3]))
    assert '| three, CPU | 1 | 1 | 1 |' in capsys.readouterr().out.replace(row['device'], 'CPU')


def test_a_run_that_found_no_test_writes_no_row(tool, tmp_path):
    rows = tmp_path / 'rows.json'
    with pytest.raises(SystemExit, match='no row'):
        tool.main(['--rows', str(rows), '--', '-q', '-c', '/dev/null', str(tmp_path)])
    assert not rows.exists()


def test_errors_of_a_set_up_count_as_failures_and_skipped_files_have_a_reason(tool):
    report = ElementTree.fromstring(
        '<testsuites><testsuite time="90"><testcase classname="a" name="b"><error/></testcase>'
        '<testcase classname="a" name="c"/><testcase><skipped message="collection skipped">'
        "('d.py', 12, 'Skipped: no mmdet')</skipped></testcase></testsuite></testsuites>"
    )
    counts = tool.counts_of(report)
    assert counts == dict(passed=1, skipped={'no mmdet': 1}, failed=['a::b'], minutes=1.5)


def test_the_page_shows_the_rows(tool):
    page = tool.PAGE.read_text(encoding='utf-8')
    rows = json.loads(tool.ROWS.read_text(encoding='utf-8'))
    assert tool.BEGIN + tool.table(rows) + tool.END in page, 'tools/misc/tested_versions.py --table'
    assert all(row['date'] and row['passed'] for row in rows)
