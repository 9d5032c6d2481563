"""Judgements over the facts: what is in order and what is not, each with the line that mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..compat import (
    BUILD_OPS,
    FAMILIES,
    PINNED,
    TORCH_BELOW,
    TORCH_MIN,
    release,
    torchvision_for,
    transformers_conflict,
)
from .facts import Facts

OK, NOTE, FAULT = 'ok', 'note', 'fault'
PYTHON_MIN, PYTHON_BELOW = (3, 10), (3, 13)
DISK_FAULT, DISK_NOTE = 2e9, 20e9  # bytes; a checkpoint of ViT-L with its optimizer is 3.9 GB
WITHOUT_OPS = {
    'onedl': 'detection cannot run, the rest can',
    'openmmlab': 'pre-training and classification run, segmentation and detection do not',
}


class Finding(NamedTuple):
    """One line of the report.

    Attributes:
        level: 'ok', 'note' (works, but) or 'fault'.
        text: What was found.
        remedy: The line that mends it; '' where there is nothing to mend.
    """

    level: str
    text: str
    remedy: str = ''


def examine(facts: Facts) -> list[Finding]:
    """All findings, in the order in which they should be mended."""
    return [finding for check in CHECKS for finding in check(facts)]


def check_python(facts: Facts) -> Iterator[Finding]:
    version = '.'.join(map(str, facts.python))
    if PYTHON_MIN <= facts.python[:2] < PYTHON_BELOW:
        yield Finding(OK, f'Python {version} is one of 3.10, 3.11, 3.12')
    else:
        remedy = 'PYTHON=python3.11 bash tools/setup_env.sh, or make an environment with it'
        yield Finding(FAULT, f'Python {version} is not one of 3.10, 3.11, 3.12', remedy)


def check_torch(facts: Facts) -> Iterator[Finding]:
    low, below = ('.'.join(map(str, bound)) for bound in (TORCH_MIN, TORCH_BELOW))
    remedy = f'pip install torch=={PINNED["torch"]} torchvision=={PINNED["torchvision"]}'
    version = facts.versions.get('torch')
    if version is None:
        yield Finding(FAULT, 'torch is not installed', remedy)
    elif not TORCH_MIN <= release(version) < TORCH_BELOW:
        text = f'torch {version} is outside the supported range >={low},<{below}'
        yield Finding(FAULT, text, f'{remedy}   (then compile mmcv again: bash tools/setup_env.sh)')
    else:
        yield Finding(OK, f'torch {version} is in the supported range >={low},<{below}')


def check_torchvision(facts: Facts) -> Iterator[Finding]:
    torch, found = facts.versions.get('torch'), facts.versions.get('torchvision')
    if torch is None:
        return
    remedy = f'pip install --no-deps --force-reinstall "torchvision=={torchvision_for(torch)}.*"'
    if found is None:
        yield Finding(FAULT, f'torch {torch} has no torchvision', remedy)
        return
    wanted = _torch_of(facts, 'torchvision')
    if wanted and release(wanted) != release(torch):
        text = f'torchvision {found} was built for torch {wanted}, and torch {torch} is installed'
        yield Finding(FAULT, text, remedy)
    elif facts.torchvision_error:
        text = f'torchvision {found} does not run with torch {torch}: {facts.torchvision_error}'
        yield Finding(FAULT, text, remedy)
    else:
        yield Finding(OK, f'torchvision {found} fits torch {torch}')


def _torch_of(facts: Facts, name: str) -> str | None:
    for owner, requirement in facts.requirements:
        match = re.match(r'torch\s*\(?==\s*([\w.]+)', requirement)
        if owner == name and match:
            return match.group(1)
    return None


def check_families(facts: Facts) -> Iterator[Finding]:
    """Both families own the same import names, so one overwrites files of the other."""
    found = {
        family: [name for name in names if name in facts.versions]
        for family, names in FAMILIES.items()
    }
    listed = {
        family: ', '.join(f'{name} {facts.versions[name]}' for name in names)
        for family, names in found.items()
    }
    if found['onedl'] and found['openmmlab']:
        text = (
            f'both package families are installed, and each overwrites files of the other: '
            f'{listed["onedl"]} beside {listed["openmmlab"]}'
        )
        kept = ' '.join(f'{name}=={facts.versions[name]}' for name in found['onedl'])
        remedy = (
            f'pip uninstall -y {" ".join(found["openmmlab"])} && '
            f'pip install --no-deps --force-reinstall {kept}   (then bash tools/setup_env.sh for '
            'compiled operators)'
        )
        yield Finding(FAULT, text, remedy)
        return
    if {'mmcv', 'mmcv-lite'} <= set(found['openmmlab']):
        remedy = 'pip uninstall -y mmcv mmcv-lite, then pip install the one that you want'
        yield Finding(FAULT, 'mmcv and mmcv-lite are both installed: same files', remedy)
    for family, names in found.items():
        if names:
            yield Finding(OK, f'one package family, {family}: {listed[family]}')
    if not any(found.values()):
        remedy = 'pip install "mmmim[onedl]"   (or "mmmim[openmmlab]")'
        yield Finding(FAULT, 'neither package family of the OpenMMLab stack is installed', remedy)


def check_ops(facts: Facts) -> Iterator[Finding]:
    name = next((n for n in ('onedl-mmcv', 'mmcv', 'mmcv-lite') if n in facts.versions), None)
    if name is None:
        return
    version, error = facts.versions[name], facts.ops_error
    family = 'onedl' if name == 'onedl-mmcv' else 'openmmlab'
    remedy = BUILD_OPS[family]
    if error is None:
        yield Finding(OK, f"mmcv {version}'s compiled operators run")
    elif re.search(r"No module named 'mmcv\.(_ext|ops)'", error):
        level = FAULT if {'onedl-mmdetection', 'mmdet'} & set(facts.versions) else NOTE
        text = f'{name} {version} has no compiled operators: {WITHOUT_OPS[family]}'
        yield Finding(level, text, remedy)
    elif re.search('undefined symbol|cannot open shared object|libtorch|libc10|libcudart', error):
        torch = facts.versions.get('torch')
        text = f'the operators of {name} {version} were built for another torch than {torch}'
        yield Finding(FAULT, f'{text}: {error}', remedy)
    elif 'kernel image' in error or 'not compiled with GPU' in error:
        text = f'the operators of {name} {version} were not built for this GPU: {error}'
        archs = ';'.join(f'{gpu[1]}.{gpu[2]}' for gpu in (facts.gpu or {}).get('gpus', ()))
        yield Finding(FAULT, text, f'TORCH_CUDA_ARCH_LIST="{archs}" FORCE_CUDA=1 {remedy}')
    else:
        yield Finding(FAULT, f'the operators of {name} {version} do not run: {error}', remedy)


def check_gpu(facts: Facts) -> Iterator[Finding]:
    """Whether torch has machine code for the GPUs."""
    if facts.gpu is None:
        return
    if not facts.gpu['gpus']:
        build = f'CUDA {facts.gpu["cuda"]}' if facts.gpu['cuda'] else 'the CPU'
        yield Finding(OK, f'no GPU is visible (torch is built for {build}): runs use the CPU')
    archs = facts.gpu['archs']
    for name, major, minor in facts.gpu['gpus']:
        if runs_on(archs, major, minor):
            yield Finding(OK, f'{name} (sm_{major}{minor}) is in the build of torch')
        else:
            text = f'{name} needs sm_{major}{minor}, and torch was built for {" ".join(archs)}'
            remedy = 'install a torch built for it: https://pytorch.org/get-started/locally/'
            yield Finding(FAULT, text, remedy)


def runs_on(archs, major: int, minor: int) -> bool:
    """Whether a build runs on a GPU: same major and no newer minor version, or PTX not newer."""
    for arch in archs:
        kind, _, number = arch.partition('_')
        digits = re.match(r'\d+', number)
        if not digits:
            continue
        have = divmod(int(digits.group()), 10)
        if kind == 'sm' and have[0] == major and have[1] <= minor:
            return True
        if kind == 'compute' and have <= (major, minor):
            return True
    return False


def check_transformers(facts: Facts) -> Iterator[Finding]:
    conflict = transformers_conflict(facts.versions)
    if conflict:
        yield Finding(FAULT, *conflict)


def check_numpy(facts: Facts) -> Iterator[Finding]:
    have = facts.versions.get('numpy')
    if have is None:
        yield Finding(FAULT, 'numpy is not installed', f'pip install numpy=={PINNED["numpy"]}')
        return
    bad = [(owner, text) for owner, text in facts.requirements if _refuses_numpy(text, have)]
    for owner, text in bad:
        wanted = re.sub(r'[()\s]', '', text.split(';')[0])
        found = f'{owner} {facts.versions[owner]} asks for {wanted}, and numpy {have} is installed'
        yield Finding(FAULT, found, f'pip install "{wanted}" {owner}=={facts.versions[owner]}')
    for owner, error in facts.binary_errors.items():
        if owner in [name for name, _ in bad]:
            continue
        found = f'{owner} {facts.versions[owner]} does not import with numpy {have}: {error}'
        remedy = f'pip install --no-cache-dir --force-reinstall --no-deps {owner}'
        remedy += f', or pip install numpy=={PINNED["numpy"]}'
        yield Finding(FAULT, found, remedy)
    if not bad and not facts.binary_errors:
        yield Finding(OK, f'numpy {have} suits every package that names a range')


def _refuses_numpy(requirement: str, version: str) -> bool:
    """Whether a requirement of numpy excludes the major version that is installed."""
    try:
        from packaging.requirements import Requirement
    except ImportError:  # comes with matplotlib, which the stack needs
        return False
    parsed = Requirement(requirement)
    if parsed.name != 'numpy' or parsed.marker is not None and not parsed.marker.evaluate():
        return False
    return not parsed.specifier.contains(version, prereleases=True)


def check_disk(facts: Facts) -> Iterator[Finding]:
    for folder, free in facts.disk.items():
        text = f'{free / 1e9:.1f} GB are free in {folder}'
        if free < DISK_FAULT:
            remedy = 'make room, or write elsewhere: --work-dir DIR; MMMIM_CACHE=DIR for set-up'
            yield Finding(FAULT, f'the disk is nearly full: {text}', remedy)
        elif free < DISK_NOTE:
            text += ': little for checkpoints (ViT-L with its optimizer: 3.9 GB each)'
            yield Finding(NOTE, text, 'default_hooks.checkpoint.max_keep_ckpts=1')
        else:
            yield Finding(OK, text)


CHECKS = (
    check_python,
    check_torch,
    check_torchvision,
    check_families,
    check_ops,
    check_gpu,
    check_transformers,
    check_numpy,
    check_disk,
)
