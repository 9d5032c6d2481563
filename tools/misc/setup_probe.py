"""Decisions and checks of tools/setup_env.sh, run with the interpreter that it sets up.

Only the standard library is needed; torch and mmcv are imported inside the commands that are about
them. What a command prints is for the shell; exit 1 means "no", and then the print says why.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / 'requirements' / 'constraints.txt'
STAMPED = ('setup.cfg', 'pyproject.toml', 'requirements/constraints.txt', 'tools/setup_env.sh')
OPENMMLAB = ('mmengine', 'mmengine-lite', 'mmcv', 'mmcv-lite', 'mmcv-full', 'mmpretrain',
             'mmsegmentation', 'mmdet')
CUDA_SETTINGS = ('TORCH_CUDA_ARCH_LIST', 'FORCE_CUDA', 'MMCV_CUDA_ARGS')


def load_compat():
    """The version gates of the package, read from the file so that torch need not be importable."""
    spec = importlib.util.spec_from_file_location('mmmim_compat', ROOT / 'mmmim' / 'compat.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installed(name):
    """Version of a distribution, None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def decide_torch(torch, torchvision, wanted, failure):
    """Whether the installed torch stays.

    Args:
        torch (str | None): Its version.
        torchvision (str | None): The version of torchvision.
        wanted (str | None): The torch release that torchvision was built for, if known.
        failure (str | None): What went wrong when an op of torchvision ran.

    Returns:
        tuple[bool, str]: Keep it or not, and why.
    """
    compat = load_compat()
    if torch is None:
        return False, 'torch is not installed'
    if not compat.TORCH_MIN <= compat.release(torch) < compat.TORCH_BELOW:
        low, high = ('.'.join(map(str, bound)) for bound in (compat.TORCH_MIN, compat.TORCH_BELOW))
        return False, f'torch {torch} is outside the supported range >={low},<{high}'
    if torchvision is None:
        return False, f'torch {torch} has no torchvision'
    if wanted is not None and compat.release(wanted) != compat.release(torch):
        return False, f'torchvision {torchvision} was built for torch {wanted}, not {torch}'
    if failure is not None:
        return False, f'torch {torch} with torchvision {torchvision} does not run: {failure}'
    return True, f'torch {torch} with torchvision {torchvision} is kept'


def torch_wanted_by_torchvision():
    """The release in torchvision's ``torch==...`` requirement, None if it states none."""
    for requirement in metadata.requires('torchvision') or ():
        match = re.match(r'torch\s*\(?==\s*([\w.+]+)', requirement)
        if match:
            return match.group(1)
    return None


def try_torch():
    """Import torch and torchvision and run one compiled op of the latter; None or the error."""
    try:
        import torch
        from torchvision.ops import nms

        nms(torch.tensor([[0., 0., 4., 4.]]), torch.ones(1), 0.5)
    except Exception as error:  # a broken binary raises nearly anything
        return f'{type(error).__name__}: {error}'.splitlines()[0]
    return None


def command_torch(args):
    """Keep or replace the installed torch: exit 0 to keep it."""
    versions = installed('torch'), installed('torchvision')
    keep, reason = decide_torch(*versions, None, None)
    if keep:
        keep, reason = decide_torch(*versions, torch_wanted_by_torchvision(), None)
    if keep:
        keep, reason = decide_torch(*versions, None, try_torch())
    print(reason)
    return 0 if keep else 1


def with_versions(text, versions):
    """Constraints in which the lines of some distributions pin the given versions instead."""
    lines = [line for line in text.splitlines() if pin(line)[0] not in versions]
    return '\n'.join(lines + [f'{name}=={version}' for name, version in versions.items()]) + '\n'


def pin(line):
    """``(name, version)`` of a line such as ``name==1.0; marker``, else ``(None, None)``."""
    match = re.match(r'([A-Za-z0-9._-]+)==([^\s;#]+)', line.strip())
    return (match.group(1).lower(), match.group(2)) if match else (None, None)


def read_pins():
    """Distributions and their versions in the constraints file."""
    return dict(pin(line) for line in CONSTRAINTS.read_text().splitlines())


def command_constraints(args):
    """Print the constraints in force: the file, with the installed torch and torchvision."""
    versions = {name: installed(name) for name in ('torch', 'torchvision')}
    print(with_versions(CONSTRAINTS.read_text(), {k: v for k, v in versions.items() if v}), end='')
    return 0


def command_pins(args):
    """Print ``name==version`` of the given distributions as the constraints file has them."""
    pins = read_pins()
    print(' '.join(f'{name}=={pins[name]}' for name in args.names))
    return 0


def command_family(args):
    """Exit 1 if distributions of the other family, with the same import names, are installed."""
    found = [f'{name} {installed(name)}' for name in OPENMMLAB if installed(name)]
    print(', '.join(found))
    return 1 if found else 0


def build_settings(mmcv, environ, torch_version, cuda, gpus):
    """What a compiled mmcv depends on.

    Args:
        mmcv (str): Version of mmcv.
        environ (Mapping): Environment variables.
        torch_version (str): ``torch.__version__``, with the local part.
        cuda (str | None): ``torch.version.cuda``.
        gpus (list[str]): Compute capabilities of the visible GPUs.
    """
    settings = {
        'python': f'{sys.implementation.cache_tag}-{sys.platform}-{platform.machine()}',
        'torch': torch_version, 'mmcv': mmcv, 'cuda': cuda, 'gpus': sorted(set(gpus))}
    settings.update((name, environ.get(name, '')) for name in CUDA_SETTINGS)
    return settings


def wheel_key(settings):
    """Folder name for a wheel built with these settings, different for any difference."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
    return f'{settings["python"]}-torch{settings["torch"]}-mmcv{settings["mmcv"]}-{digest}'


def command_wheel_key(args):
    """Print the folder name of the compiled mmcv in the cache."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpus = ['{}.{}'.format(*torch.cuda.get_device_capability(index)) for index in range(count)]
    settings = build_settings(args.mmcv, os.environ, torch.__version__, torch.version.cuda, gpus)
    print(wheel_key(settings))
    return 0


def run_ops(torch, nms, device):
    """One op of mmcv on three boxes of which the second is suppressed."""
    boxes = torch.tensor([[0., 0., 9., 9.], [0., 0., 9., 8.], [20., 20., 29., 29.]], device=device)
    kept = nms(boxes, torch.tensor([.9, .8, .7], device=device), 0.5)[1].tolist()
    if kept != [0, 2]:
        raise RuntimeError(f'mmcv.ops.nms on {device} keeps boxes {kept}, not [0, 2]')


def command_ops(args):
    """Import mmcv.ops and run an op on the CPU, and on the GPU where there is one."""
    try:
        import torch
        from mmcv.ops import nms

        run_ops(torch, nms, 'cpu')
        if torch.cuda.is_available() and os.environ.get('MMMIM_CPU_OPS') != '1':
            run_ops(torch, nms, 'cuda')
    except Exception as error:  # whatever a broken build raises
        print(f'{type(error).__name__}: {error}')
        return 1
    return 0


def command_mmcv(args):
    """Exit 0 if the pinned mmcv is installed and its ops run."""
    if installed('onedl-mmcv') != read_pins()['onedl-mmcv']:
        print(f'onedl-mmcv {installed("onedl-mmcv")} is installed')
        return 1
    return command_ops(args)


def stamp():
    """Digest of everything that decides what the set-up installs."""
    digest = hashlib.sha256(f'{sys.executable} {sys.version} {ROOT}'.encode())
    for name in STAMPED:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def command_stamp(args):
    print(stamp())
    return 0


def unmet_pins(text, version_of):
    """Pins of a constraints text that an installed distribution violates."""
    pairs = (pin(line) for line in text.splitlines() if ';' not in line)
    found = ((name, wanted, version_of(name)) for name, wanted in pairs if name)
    return [f'{name} {have} instead of {wanted}' for name, wanted, have in found
            if have not in (None, wanted)]


def command_ready(args):
    """Exit 0 if nothing is to do: same stamp and versions, mmmim from here, ops that run."""
    folder = Path(args.folder)
    try:
        same = (folder / 'stamp').read_text().strip() == stamp()
        constraints = (folder / 'constraints.txt').read_text()
    except OSError:
        print('this environment was not set up yet')
        return 1
    spec = importlib.util.find_spec('mmmim')
    if not same:
        print('the interpreter or the pins have changed')
    elif unmet := unmet_pins(constraints, installed):
        print('versions have changed: ' + ', '.join(unmet))
    elif spec is None or Path(spec.origin).resolve().parents[1] != ROOT:
        print('mmmim of this folder is not installed')
    else:
        return command_ops(args)
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name in ('torch', 'constraints', 'family', 'mmcv', 'ops', 'stamp'):
        commands.add_parser(name).set_defaults(run=globals()[f'command_{name}'])
    for name, argument, options in (('pins', 'names', {'nargs': '+'}),
                                    ('wheel_key', 'mmcv', {}), ('ready', 'folder', {})):
        command = commands.add_parser(name.replace('_', '-'))
        command.add_argument(argument, **options)
        command.set_defaults(run=globals()[f'command_{name}'])
    args = parser.parse_args()
    return args.run(args)


if __name__ == '__main__':
    sys.exit(main())
