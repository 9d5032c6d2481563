"""Eight planted faults: each is found in an installation that really has it, with its remedy."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from mmmim import compat
from mmmim.compat import PINNED, is_doctor, torchvision_for
from mmmim.doctor import main as doctor
from mmmim.doctor.checks import FAULT, NOTE, OK, check_gpu, examine, runs_on
from mmmim.doctor.facts import Facts

ROOT = Path(__file__).resolve().parents[2]


def facts(**changes):
    """An installation with nothing wrong."""
    sound = Facts(
        python=(3, 11, 7),
        versions={
            'torch': '2.11.0',
            'torchvision': '0.26.0',
            'numpy': '2.2.6',
            'onedl-mmcv': '2.3.6',
            'onedl-mmengine': '0.10.12',
            'onedl-mmdetection': '3.5.1',
        },
        requirements=(('torchvision', 'torch==2.11.0'),),
        torchvision_error=None,
        ops_error=None,
        binary_errors={},
        gpu=dict(cuda='13.0', archs=['sm_80', 'sm_90'], gpus=[]),
        disk={'.': 10**12},
    )
    versions = sound.versions | changes.pop('versions', {})
    return sound._replace(versions={k: v for k, v in versions.items() if v}, **changes)


def faults(**changes):
    return [item for item in examine(facts(**changes)) if item.level == FAULT]


def test_nothing_is_wrong_with_a_sound_installation():
    assert {item.level for item in examine(facts())} == {OK}


class Site:
    """A folder that comes first on the path: what lies there hides what is installed."""

    def __init__(self, folder: Path):
        self.folder = folder

    def distribution(self, name, version, requires=()):
        info = self.folder / f'{name.replace("-", "_")}-{version}.dist-info'
        info.mkdir()
        lines = [f'Requires-Dist: {item}' for item in requires]
        text = '\n'.join(['Metadata-Version: 2.1', f'Name: {name}', f'Version: {version}', *lines])
        (info / 'METADATA').write_text(text + '\n')
        return self

    def module(self, name, text=''):
        path = self.folder.joinpath(*name.split('.'))
        path.mkdir(parents=True, exist_ok=True)
        (path / '__init__.py').write_text(text)
        return self

    def doctor(self):
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        env = os.environ | {'PYTHONPATH': path, 'PYTHONDONTWRITEBYTECODE': '1'}
        done = subprocess.run(
            [sys.executable, '-m', 'mmmim.doctor', '--no-steps'],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=env,
        )
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout.splitlines()


@pytest.fixture
def site(tmp_path):
    """Probes of torch, torchvision and cv2 are answered at once."""
    site = Site(tmp_path)
    for name in ('cv2', 'pycocotools.mask', 'scipy.sparse', 'matplotlib.transforms', 'sklearn'):
        site.module(name)
    cuda = 'get_arch_list = device_count = lambda: []\nis_available = lambda: False\n'
    site.module('torch', 'version = type("v", (), dict(cuda=None))\ntensor = ones = lambda *a: 0')
    site.module('torch.cuda', cuda)
    site.module('torch.__init_cuda__')
    site.module('torchvision.ops', 'nms = lambda *a: 0')
    site.module('torchvision')
    (tmp_path / 'torch' / '__init__.py').write_text(
        'from . import cuda\nversion = type("v", (), dict(cuda=None))\ntensor = ones = print\n'
    )
    return site


def remedy(lines, *words):
    """The remedy under the fault that has the words."""
    for line, below in zip(lines, lines[1:]):
        if line.startswith('fault') and all(word in line for word in words):
            assert below.startswith('      -> ')
            return below
    raise AssertionError('\n'.join(lines))


def plant_no_ops(site):
    site.module('mmcv').distribution('onedl-mmcv', '2.3.6')
    site.distribution('onedl-mmdetection', '3.5.1')
    return 'no compiled operators', 'tools/setup_env.sh'


def plant_other_torch(site):
    error = 'raise ImportError("mmcv/_ext.so: undefined symbol: _ZN3c1021throwNullDataPtrErrorEv")'
    site.module('mmcv').module('mmcv.ops', error)
    return 'built for another torch', '--no-build-isolation'


def plant_both_families(site):
    site.distribution('onedl-mmcv', '2.3.6')
    site.distribution('mmcv', '2.1.0').distribution('mmengine', '0.10.7')
    return 'both package families', 'pip uninstall -y mmengine mmcv'


def plant_torch_out_of_range(site):
    site.distribution('torch', '2.14.0')
    return '2.14.0 is outside the supported range >=2.4,<2.14', 'pip install torch==2.11.0'


def plant_torchvision(site):
    site.distribution('torchvision', '0.18.0', ['torch (==2.3.0)'])
    wanted = torchvision_for(metadata.version('torch'))
    return 'torchvision 0.18.0 was built for torch 2.3.0', f'"torchvision=={wanted}.*"'


def plant_transformers(site):
    site.distribution('transformers', '5.1.0').distribution('pycocotools', '2.0.8')
    site.distribution('onedl-mmpretrain', '1.3.6')
    return 'transformers 5.1.0 beside pycocotools', 'pip install "transformers>=4.53,<5"'


def plant_numpy(site):
    site.distribution('onedl-mmsegmentation', '1.4.2', ['numpy>2']).distribution('numpy', '1.26.4')
    return 'onedl-mmsegmentation 1.4.2 asks for numpy>2, and numpy 1.26.4', 'pip install "numpy>2"'


PLANTS = [
    plant_no_ops,
    plant_other_torch,
    plant_both_families,
    plant_torch_out_of_range,
    plant_torchvision,
    plant_transformers,
    plant_numpy,
]


@pytest.mark.parametrize('plant', PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(site, plant):
    found, cure = plant(site)
    code, lines = site.doctor()
    assert code == 1
    assert cure in remedy(lines, found)


def test_a_nearly_full_disk_is_found(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr('mmmim.doctor.facts.probe', lambda code: (None, None))
    monkeypatch.setattr('shutil.disk_usage', lambda path: type('usage', (), dict(free=10**9)))
    assert doctor.main(['--no-steps', '--folders', str(tmp_path / 'not' / 'there')]) == 1
    line = remedy(capsys.readouterr().out.splitlines(), 'nearly full', '1.0 GB')
    assert '--work-dir' in line


@pytest.mark.parametrize(
    ('changes', 'found', 'cure'),
    [
        (dict(python=(3, 13, 0)), 'Python 3.13.0', 'python3.11'),
        (dict(versions={'torchvision': None}), 'no torchvision', 'torchvision==0.26'),
        (dict(torchvision_error='OSError: libcudart'), 'libcudart', 'torchvision==0.26'),
        (dict(versions={'numpy': None}), 'numpy is not installed', 'numpy=='),
        (dict(versions={'mmcv': '2.1.0'}), 'both package families', 'pip uninstall -y mmcv'),
        (
            dict(versions={'opencv-python': '4.8'}, binary_errors={'opencv-python': '_ARRAY_API'}),
            'does not import with numpy',
            '--force-reinstall',
        ),
        (dict(ops_error='RuntimeError: no kernel image'), 'not built for this GPU', 'ARCH_LIST'),
    ],
)
def test_other_faults_are_told_with_a_remedy(changes, found, cure):
    (fault,) = faults(**changes)
    assert found in fault.text
    assert cure in fault.remedy


def test_missing_operators_are_a_note_without_detection():
    error = "ModuleNotFoundError: No module named 'mmcv._ext'"
    found = examine(facts(versions={'onedl-mmdetection': None}, ops_error=error))
    assert [item.level for item in found if 'operators' in item.text] == [NOTE]


OPENMMLAB = {'onedl-mmcv': None, 'onedl-mmengine': None, 'onedl-mmdetection': None}
OPENMMLAB |= {'mmcv-lite': '2.1.0', 'mmengine': '0.10.7', 'mmpretrain': '1.2.0'}


def test_remedies_are_those_of_the_family_that_is_installed():
    """setup_env.sh would refuse an environment of OpenMMLab's own packages."""
    error = "ModuleNotFoundError: No module named 'mmcv._ext'"
    found = examine(facts(versions=OPENMMLAB, ops_error=error))
    (line,) = [item for item in found if 'operators' in item.text]
    assert line.level == NOTE and 'segmentation and detection do not' in line.text
    assert line.remedy == compat.BUILD_OPS['openmmlab'] and 'setup_env' not in line.remedy


@pytest.mark.parametrize(
    ('owner', 'transformers', 'works'),
    [
        ('onedl-mmpretrain', '4.57.6', True),
        ('onedl-mmpretrain', '5.0.0', False),
        ('mmpretrain', '4.51.3', True),
        ('mmpretrain', '4.52.4', False),
    ],
)
def test_transformers_that_mmpretrain_cannot_import(monkeypatch, owner, transformers, works):
    versions = {owner: '1.3.6', 'transformers': transformers, 'pycocotools': '2.0.11'}
    assert (compat.transformers_conflict(versions) is None) is works
    assert compat.transformers_conflict(versions | {'pycocotools': None}) is None
    versions['torch'] = PINNED['torch']
    monkeypatch.setattr(compat, 'version_of', versions.get)
    if works:
        compat.check_stack()
    else:
        with pytest.raises(RuntimeError, match=r'pycocotools.*fails; run `pip install "transf'):
            compat.check_stack()


@pytest.mark.parametrize(
    ('archs', 'gpu', 'runs'),
    [
        (['sm_80', 'sm_90'], (9, 0), True),
        (['sm_80'], (8, 6), True),
        (['sm_86'], (8, 0), False),
        (['sm_90'], (8, 0), False),
        (['sm_75', 'compute_75'], (9, 0), True),
        (['sm_90a'], (9, 0), True),
        (['sm_120'], (12, 0), True),
        ([], (8, 0), False),
    ],
)
def test_a_build_runs_on_its_major_version_and_not_before(archs, gpu, runs):
    """Reported for the wheels of mmcv: cubins for 8.6 do not run on an A100 (8.0)."""
    assert runs_on(archs, *gpu) is runs
    found = list(check_gpu(facts(gpu=dict(cuda='12', archs=archs, gpus=[['a GPU', *gpu]]))))
    assert found[-1].level == (OK if runs else FAULT)


def test_the_doctor_is_not_stopped_by_the_gate():
    assert is_doctor(['python', '-m', 'mmmim.doctor'])
    assert is_doctor(['python', 'tools/misc/doctor.py', '--no-steps'])
    assert is_doctor(['python', '/bin/mmmim', 'doctor'])
    assert not is_doctor(['python', '-m', 'mmmim'])
    assert not is_doctor(['python', 'train.py', 'config.py', '--work-dir', 'doctor'])


def test_the_pinned_versions_are_those_of_the_constraints():
    text = (ROOT / 'requirements' / 'constraints.txt').read_text().splitlines()
    assert all(f'{name}=={version}' in text for name, version in PINNED.items())
    assert torchvision_for(PINNED['torch']) == PINNED['torchvision'].rsplit('.', 1)[0]


@pytest.mark.long
def test_this_installation_is_sound(tmp_path):
    """The steps of the three frameworks, too."""
    done = subprocess.run(
        [sys.executable, ROOT / 'tools/misc/doctor.py'],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count('a step runs') == 3
    assert metadata.version('torch') in done.stdout
