"""The linters that pre-commit runs, so that the test command refuses what the hooks refuse."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
SHELL = sorted(ROOT.glob('tools/**/*.sh')) + [ROOT / '.ci' / 'run']
TEXT = [
    'mmmim',
    'configs',
    'tools',
    'tests',
    'docs',
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'setup.cfg',
]


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing():
    run(sys.executable, '-m', 'ruff', 'check', '--no-cache', '.')


def test_codespell_finds_nothing():
    run(TOOLS / 'codespell', *[name for name in TEXT if (ROOT / name).exists()])


@pytest.mark.parametrize('script', SHELL, ids=lambda path: path.name)
def test_a_shell_script_is_sound(script):
    run('bash', '-n', str(script))
    run(TOOLS / 'shellcheck', '--severity=warning', str(script))


@pytest.mark.parametrize('script', SHELL, ids=lambda path: path.name)
def test_a_shell_script_can_be_executed(script):
    assert script.stat().st_mode & 0o111
