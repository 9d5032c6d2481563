"""Run the suite in this environment and put the result into docs/installation.md's table.

    python tools/misc/tested_versions.py
    python tools/misc/tested_versions.py --what "tests/models" -- tests/models -n 2
    python tools/misc/tested_versions.py --table

What stands after ``--`` goes to pytest; without it the whole default suite runs. The row, with the
versions that were found and the reasons of skipped tests, goes to
docs/results/tested_versions.json, where it replaces an older one of the same environment and the
same tests. ``--table`` runs nothing and writes the table anew.
"""

import argparse
import collections
import datetime
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from importlib import util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(ROOT))

from mmmim.compat import FAMILIES  # noqa: E402
from mmmim.doctor.facts import OPS, installed, probe  # noqa: E402

PAGE = ROOT / 'docs/installation.md'
ROWS = ROOT / 'docs/results/tested_versions.json'
BEGIN, END = '<!-- the table begins -->\n', '<!-- the table ends -->\n'
HEADER = (
    '| date | Python | torch | packages | what ran | passed | skipped | failed |\n'
    '|---|---|---|---|---|---|---|---|\n'
)
SAME = ('python', 'torch', 'torchvision', 'packages', 'operators', 'device', 'what')


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--what', help='the tests in words, for the table (default: pytest words)')
    parser.add_argument('--rows', type=Path, default=ROWS, help='default: %(default)s')
    parser.add_argument('--table', action='store_true', help='only write the table')
    parser.add_argument('words', nargs='*', help='words of pytest, after --')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    rows = json.loads(args.rows.read_text(encoding='utf-8')) if args.rows.exists() else []
    status = 0
    if not args.table:
        with tempfile.TemporaryDirectory() as folder:
            status, counts = run_suite(args.words, Path(folder) / 'junit.xml')
        what = args.what or ' '.join(args.words) or 'the whole suite'
        row = dict(date=str(datetime.date.today()), **environment(), what=what, **counts)
        rows = [*(old for old in rows if any(old.get(key) != row[key] for key in SAME)), row]
        rows.sort(key=lambda one: (one['python'], release(one['torch']), one['what']))
        args.rows.write_text(json.dumps(rows, indent=2) + '\n', encoding='utf-8')
        print(line_of(row), end='')
    if args.rows == ROWS:
        write_table(rows)
    return status


def run_suite(words, report):
    """The suite in processes of this interpreter.

    Args:
        words: For pytest.
        report (Path): Where pytest writes its report.

    Returns:
        (exit status of pytest, dict of counts, names of failures and reasons of skips).

    Raises:
        SystemExit: If pytest ended before it wrote a report.
    """
    env = dict(OMP_NUM_THREADS='1', MKL_NUM_THREADS='1', MPLBACKEND='Agg') | os.environ
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get('PATH', '')])
    command = [sys.executable, '-m', 'pytest', f'--junitxml={report}', *words]
    status = subprocess.run(command, cwd=ROOT, env=env | dict(PATH=path)).returncode
    counts = counts_of(ElementTree.parse(report).getroot()) if report.exists() else None
    if not counts or not counts['passed'] + len(counts['failed']):
        raise SystemExit(f'pytest ended with {status} before any result: no row is written.')
    return status, counts


def counts_of(report):
    """What pytest's XML report says, as the fields of a row."""
    passed, failed, reasons, seconds = 0, [], collections.Counter(), 0.0
    for suite in report.iter('testsuite'):
        seconds += float(suite.get('time', 0))
    for case in report.iter('testcase'):
        kinds = {child.tag: child for child in case}
        if 'failure' in kinds or 'error' in kinds:
            failed.append(f'{case.get("classname")}::{case.get("name")}')
        elif 'skipped' in kinds:
            reasons[reason_of(kinds['skipped'])] += 1
        else:
            passed += 1
    return dict(
        passed=passed,
        skipped=dict(reasons.most_common()),
        failed=failed,
        minutes=round(seconds / 60, 1),
    )


def reason_of(skipped):
    """Why a test was skipped; of a whole file pytest hides it in a tuple as text."""
    told = skipped.get('message', '')
    if told == 'collection skipped':
        told = (skipped.text or told).rpartition('Skipped: ')[2].rstrip('\'")')
    return told


def environment():
    """Versions of what the suite stands on, as the fields of a row."""
    versions = installed()
    names = [name for family in FAMILIES.values() for name in family if name in versions]
    import torch

    return dict(
        python='.'.join(map(str, sys.version_info[:3])),
        torch=torch.__version__,
        torchvision=versions['torchvision'],
        packages={name: versions[name] for name in names},
        operators=util.find_spec('mmcv._ext') is not None and probe(OPS)[1] is None,
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU',
        numpy=versions['numpy'],
        commit=commit(),
    )


def commit():
    """The commit of the checkout, with ``+`` if files differ from it; '' outside a repository."""
    words = [
        'git',
        '-C',
        str(ROOT),
        'describe',
        '--always',
        '--abbrev=9',
        '--exclude=*',
        '--dirty=+',
    ]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()


def release(version):
    return [int(part) for part in version.split('+')[0].split('.') if part.isdigit()]


def line_of(row):
    """A row of the table."""
    packages = ', '.join(f'{name} {version}' for name, version in row['packages'].items())
    operators = 'with' if row['operators'] else 'without'
    cells = [
        row['date'],
        row['python'],
        f'{row["torch"]}, torchvision {row["torchvision"]}',
        f'{packages}; {operators} compiled operators',
        f'{row["what"]}, {row["device"]}',
        f'{row["passed"]:,}',
        f'{sum(row["skipped"].values()):,}',
        f'{len(row["failed"]):,}',
    ]
    return '| ' + ' | '.join(cells) + ' |\n'


def write_table(rows):
    """Put the table between its marks in the page."""
    page = PAGE.read_text(encoding='utf-8')
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + table(rows) + END + after, encoding='utf-8')


def table(rows):
    return HEADER + ''.join(map(line_of, rows))


if __name__ == '__main__':
    sys.exit(main())
