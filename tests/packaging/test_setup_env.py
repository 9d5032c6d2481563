"""The course of tools/setup_env.sh, with an interpreter that only records what is asked of it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'tools' / 'setup_env.sh'
BUILD_SETTINGS = ('MMMIM_CPU_OPS', 'FORCE_CUDA', 'MAX_JOBS', 'CXX', 'CONDA_PREFIX')


class FakeEnvironment:
    """A folder that looks like an active virtual environment, with its own cache."""

    def __init__(self, folder):
        self.folder = folder
        self.cache = folder / 'cache'
        binaries = folder / 'venv' / 'bin'
        binaries.mkdir(parents=True)
        fake = Path(__file__).with_name('fake_python.py')
        python = binaries / 'python'
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{fake}" "$@"\n')
        python.chmod(0o755)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def environ(self, **variables):
        plain = {name: value for name, value in os.environ.items() if name not in BUILD_SETTINGS}
        return {
            **plain,
            'FAKE_STATE': str(self.folder),
            'MMMIM_CACHE': str(self.cache),
            'VIRTUAL_ENV': str(self.folder / 'venv'),
            **variables,
        }

    def run(self, *arguments, **variables):
        return subprocess.run(
            ['bash', SCRIPT, *arguments],
            env=self.environ(**variables),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )

    def calls(self):
        path = self.folder / 'calls'
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    def wheels(self):
        return sorted(str(path.relative_to(self.cache)) for path in self.cache.rglob('*.whl'))


@pytest.fixture
def fake(tmp_path):
    return FakeEnvironment(tmp_path)


def kinds(calls):
    """What each recorded pip command is about, in order."""
    names = (
        ('torch==', 'torch'),
        ('ninja==', 'tools'),
        ('.whl', 'wheel'),
        ('wheel -v', 'build'),
        (' -e ', 'rest'),
        ('check', 'check'),
    )
    found = [next((name for part, name in names if part in call), None) for call in calls]
    return [name for name in found if name]


def test_everything_is_installed_in_order_and_the_second_call_installs_nothing(fake):
    fake.write('torch', 'torch is not installed')
    first = fake.run()
    assert first.returncode == 0, first.stderr
    calls = fake.calls()
    assert kinds(calls) == ['torch', 'tools', 'build', 'wheel', 'rest', 'check']
    build = calls[kinds(calls).index('build')]
    for flag in ('--no-build-isolation', '--no-deps', '--no-cache-dir', '--no-binary onedl-mmcv'):
        assert flag in build
    assert all('-c ' in call for call in calls if call.startswith('install') and '.whl' not in call)
    assert fake.wheels() == ['wheels/key/onedl_mmcv-0-py3-none-any.whl']
    second = fake.run()
    assert second.returncode == 0 and 'is ready' in second.stdout
    assert fake.calls() == []


def test_a_torch_that_works_is_kept(fake):
    result = fake.run()
    assert 'torch is kept' in result.stdout
    assert 'torch' not in kinds(fake.calls())


def test_a_kept_wheel_is_used_and_only_for_its_own_settings(fake):
    wheel = fake.cache / 'wheels' / 'key' / 'onedl_mmcv-0-py3-none-any.whl'
    wheel.parent.mkdir(parents=True)
    wheel.write_text('kept')
    assert fake.run().returncode == 0
    assert 'build' not in kinds(fake.calls())
    assert (fake.folder / 'mmcv').read_text() == 'kept'
    (fake.folder / 'venv' / 'mmmim-setup' / 'stamp').unlink()
    assert fake.run(FORCE_CUDA='1').returncode == 0
    assert 'build' in kinds(fake.calls())
    assert len(fake.wheels()) == 2


def test_a_kept_wheel_whose_ops_do_not_run_is_compiled_anew(fake):
    wheel = fake.cache / 'wheels' / 'key' / 'onedl_mmcv-0-py3-none-any.whl'
    wheel.parent.mkdir(parents=True)
    wheel.write_text('broken')
    fake.write('bad-wheels', 'broken')
    result = fake.run()
    assert result.returncode == 0
    assert 'undefined symbol' in result.stdout and 'compiling it anew' in result.stdout
    assert kinds(fake.calls())[:4] == ['tools', 'wheel', 'build', 'wheel']
    assert wheel.read_text() == 'compiled'


def test_a_folder_without_a_wheel_is_replaced(fake):
    (fake.cache / 'wheels' / 'key').mkdir(parents=True)
    assert fake.run().returncode == 0
    assert fake.wheels() == ['wheels/key/onedl_mmcv-0-py3-none-any.whl']


def test_a_compiled_wheel_whose_ops_do_not_run_never_enters_the_cache(fake):
    fake.write('bad-wheels', 'compiled')
    result = fake.run()
    assert result.returncode == 1
    assert 'the compiled mmcv does not run (ImportError: undefined symbol)' in result.stderr
    assert fake.wheels() == []
    assert list((fake.cache / 'wheels').iterdir()) == []


@pytest.mark.parametrize(
    ('fail', 'remedy'),
    [
        ('torch==\nTemporary failure in name resolution', 'connect to the network'),
        ('torch==\n[Errno 28] No space left on device', 'The disk is full'),
        ('wheel -v\nfatal error: Killed signal terminated program cc1plus', 'MAX_JOBS=1'),
        ('wheel -v\nsomething new', 'compiling-mmcv.log'),
        ('check\nonedl-x 1 requires y, which is not installed.', 'pip-check.log'),
        ('[all,dev]\nERROR: ResolutionImpossible', 'deactivate'),
    ],
)
def test_a_step_that_fails_ends_with_what_to_do(fake, fail, remedy):
    fake.write('torch', 'torch is not installed')
    fake.write('fail', fail)
    result = fake.run()
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith('set-up failed: ') and remedy in last
    assert fail.split('\n')[1] in result.stderr
    assert not [path for path in fake.cache.rglob('*') if 'building' in path.name]


def test_after_a_failure_the_set_up_goes_on_where_it_stopped(fake):
    fake.write('torch', 'torch is not installed')
    fake.write('fail', '[all,dev]\nERROR: anything')
    assert fake.run().returncode == 1
    fake.calls()
    (fake.folder / 'fail').unlink()
    assert fake.run().returncode == 0
    assert kinds(fake.calls()) == ['tools', 'rest', 'check']


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_interrupt_ends_the_compilation_and_leaves_nothing_in_the_cache(fake):
    fake.write('slow', 'yes')
    script = subprocess.Popen(['bash', SCRIPT], env=fake.environ(), stdout=subprocess.DEVNULL)
    started = fake.folder / 'compiling'
    wait_for(lambda: started.exists() and started.read_text())
    script.terminate()
    assert script.wait(timeout=60) == 143
    wait_for(lambda: not Path('/proc', started.read_text()).exists())
    assert list((fake.cache / 'wheels').iterdir()) == []


def test_an_unsupported_python_is_refused(fake):
    fake.write('version', '3.13')
    result = fake.run()
    assert result.returncode == 1
    assert 'Python 3.13' in result.stderr and 'deactivate' in result.stderr
    assert fake.calls() == []


def test_the_other_family_is_not_overwritten(fake):
    fake.write('family', 'mmcv 2.1.0')
    result = fake.run()
    assert result.returncode == 1
    assert 'mmcv 2.1.0' in result.stderr
    assert fake.calls() == []


def test_without_a_compiler_nothing_is_downloaded(fake):
    fake.write('torch', 'torch is not installed')
    result = fake.run(CXX='no-such-compiler')
    assert result.returncode == 1
    assert 'apt-get install g++' in result.stderr
    assert fake.calls() == []


def test_without_a_place_for_the_cache_the_set_up_goes_on(fake):
    fake.cache.write_text('a file where the folder should be')
    result = fake.run()
    assert result.returncode == 0, result.stderr
    assert 'MMMIM_CACHE' in result.stdout


def test_the_interpreter_is_the_active_one_else_that_of_the_repository(fake):
    assert fake.run('--print-python').stdout.strip() == f'{fake.folder}/venv/bin/python'
    conda = {'VIRTUAL_ENV': '', 'CONDA_PREFIX': f'{fake.folder}/venv'}
    named = fake.run('--print-python', CONDA_DEFAULT_ENV='mim', **conda)
    assert named.stdout.strip() == f'{fake.folder}/venv/bin/python'
    base = fake.run('--print-python', CONDA_DEFAULT_ENV='base', **conda)
    assert base.stdout.strip() == f'{ROOT}/.venv/bin/python'


def test_an_unknown_argument_is_refused(fake):
    result = fake.run('--help-me')
    assert result.returncode == 1 and '--help-me' in result.stderr
