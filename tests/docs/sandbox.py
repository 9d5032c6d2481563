"""A folder that looks like a clone, with small scenes, in which the pages are followed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import stand_ins
from pages import ROOT
from warm import Warm

LINKS = ('configs', 'docs', 'mmmim', 'requirements', 'tests', 'pyproject.toml', 'setup.cfg')
PYTHON = re.compile(r'^```python\n(.*?)^```', re.MULTILINE | re.DOTALL)


class Sandbox:
    """Attributes: folder."""

    def __init__(self, folder: Path):
        self.folder, self.warm = folder, None
        for name in LINKS:
            (folder / name).symlink_to(ROOT / name)
        (folder / 'tools').mkdir()
        for path in (ROOT / 'tools').iterdir():
            (folder / 'tools' / path.name).symlink_to(path)
        # The environment is there already.
        (folder / 'tools/setup_env.sh').unlink()
        (folder / 'tools/setup_env.sh').write_text(f'echo {sys.executable}\n')
        (folder / 'bin').mkdir()
        stand_ins.write(folder / 'bin')
        tool = ROOT / 'tools/dataset_converters/make_scenes.py'
        self.must(sys.executable, str(tool), *stand_ins.SCENES)

    def must(self, *command) -> str:
        """Output of a command, which ends with 0."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f'{command[-1]}\n{done.stdout[-4000:]}'
        return done.stdout

    def environment(self) -> dict:
        path = f'{self.folder / "bin"}{os.pathsep}{os.environ["PATH"]}'
        quiet = dict(OMP_NUM_THREADS='1', MMMIM_WATCH='0', MPLBACKEND='Agg', PYTHON='python')
        own = dict(PATH=path, PYTHONPATH=str(ROOT))
        own |= dict(MMMIM_WARM=self.warm.path) if self.warm else {}
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(('SLURM', 'PYTHON'))}
        return inherited | quiet | own

    def warm_up(self) -> None:
        """Let commands start without their imports, until the sandbox is closed."""
        self.warm = Warm(self.folder, self.environment())

    def close(self) -> None:
        if self.warm:
            self.warm.close()

    def train(self, config: str, name: str) -> Path:
        """Work directory of a short training, made when it is first asked for."""
        out = self.folder / 'work_dirs' / name
        if not out.exists():
            self.must('python', 'tools/train.py', config, '--work-dir', f'work_dirs/{name}')
        return out


def python_blocks(page: Path) -> list[str]:
    """Code of a page that is shown as Python, but for the files that it has the reader write."""
    return PYTHON.findall(page.read_text(encoding='utf-8'))
