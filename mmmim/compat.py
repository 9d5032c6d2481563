"""Version gates of the stack underneath, in one place.

Gates raise ``RuntimeError``: mmengine swallows an ``ImportError`` while it imports
``mmmim.registry``, and users would only read that a class "is not in the registry".
"""

import functools
import logging
import sys
from importlib import metadata, util
from pathlib import PurePath

TORCH_MIN, TORCH_BELOW = (2, 4), (2, 14)
REQUIRED = ('mmengine', 'mmcv', 'mmpretrain')

# Distributions of the two families; those of a family share the import names of the other.
FAMILIES = {
    'onedl': (
        'onedl-mmengine',
        'onedl-mmcv',
        'onedl-mmpretrain',
        'onedl-mmdetection',
        'onedl-mmsegmentation',
    ),
    'openmmlab': (
        'mmengine',
        'mmengine-lite',
        'mmcv',
        'mmcv-lite',
        'mmcv-full',
        'mmpretrain',
        'mmdet',
        'mmsegmentation',
    ),
}

# For remedies; requirements/constraints.txt has them all.
PINNED = {
    'torch': '2.11.0',
    'torchvision': '0.26.0',
    'onedl-mmcv': '2.3.6',
    'numpy': '2.2.6',
}

# Compiles the operators for the installed torch. The setup.py of OpenMMLab imports pkg_resources,
# which setuptools 82 dropped.
BUILD_OPS = {
    'onedl': (
        'bash tools/setup_env.sh        (in a clone; compiles once, about 10 minutes) or: '
        'MMCV_WITH_OPS=1 pip install --no-cache-dir --no-build-isolation --no-deps '
        f'--force-reinstall --no-binary onedl-mmcv onedl-mmcv=={PINNED["onedl-mmcv"]}'
    ),
    'openmmlab': (
        'pip uninstall -y mmcv mmcv-lite && pip install ninja "setuptools<82" && '
        'MMCV_WITH_OPS=1 pip install --no-cache-dir --no-build-isolation --no-deps '
        '--no-binary mmcv mmcv==2.1.0'
    ),
}

# Beside pycocotools, mmpretrain imports models that need these releases of transformers.
TRANSFORMERS = {'onedl-mmpretrain': ('4.53', '5'), 'mmpretrain': ('4.28', '4.52')}


def release(version):
    """The leading integers of a version string: ``'2.11.0+cpu'`` gives ``(2, 11, 0)``."""
    parts = []
    for part in version.split('+')[0].split('.'):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)


def torchvision_for(torch):
    """The release of torchvision made for a torch 2.x: ``'2.11.0'`` gives ``'0.26'``."""
    return f'0.{release(torch)[1] + 15}'


def is_doctor(words):
    """Whether a command line starts the doctor, which must run where nothing else does."""
    return any(PurePath(word).name.split('.')[-1] == 'doctor' or word.endswith('doctor.py')
               for word in words[1:4])  # fmt: skip


def hush_debug_messages():
    """Have mmengine's ``print_log`` keep messages of level DEBUG that go to no logger to itself.

    It prints them whatever their level, and mmdet tells with two such, in every process that
    imports it, of a package that few have.
    """
    from mmengine import logging as package

    original = package.print_log
    if getattr(original, 'hushed', False):
        return

    @functools.wraps(original)
    def print_log(msg, logger=None, level=logging.INFO):
        if logger is not None or level > logging.DEBUG:
            original(msg, logger, level)

    print_log.hushed = True
    package.print_log = print_log


def version_of(name):
    """Version of a distribution, None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def family():
    """Whose packages are installed: ``'openmmlab'``, else ``'onedl'``."""
    names = FAMILIES['openmmlab']
    ours = version_of('onedl-mmengine') or not any(map(version_of, names))
    return 'onedl' if ours else 'openmmlab'


def detection_remedy():
    """What to do where a detector cannot run, after "run" or "install"."""
    if family() == 'openmmlab':
        return f'run `{BUILD_OPS["openmmlab"]}`, then `pip install "mmmim[openmmlab-det]"`'
    return (
        'run `bash tools/setup_env.sh`, or `pip install "mmmim[onedl-det]"` and rebuild mmcv with '
        '`pip install --no-cache-dir --no-build-isolation --force-reinstall --no-deps onedl-mmcv`'
    )


def transformers_conflict(versions):
    """Why ``import mmpretrain.models`` fails: parts of it subclass what transformers dropped.

    Args:
        versions (dict): Name of a distribution -> version; absent or None if not installed.

    Returns:
        (what was found, the line that mends it), or None.
    """
    have, api = versions.get('transformers'), versions.get('pycocotools')
    owner = next((name for name in TRANSFORMERS if versions.get(name)), 'onedl-mmpretrain')
    low, below = TRANSFORMERS[owner]
    if not have or not api or release(have) < release(below):
        return None
    text = f'transformers {have} beside pycocotools {api}: `import mmpretrain.models` fails'
    return text, f'pip install "transformers>={low},<{below}"'


def check_stack():
    """Refuse a stack that cannot work, saying what to install; the doctor says more.

    Raises:
        RuntimeError: If torch is missing or outside the supported range, if mmengine, mmcv or
            mmpretrain is missing, or if transformers keeps mmpretrain from being imported.
    """
    if is_doctor(sys.orig_argv):
        return
    bounds = f'>={".".join(map(str, TORCH_MIN))},<{".".join(map(str, TORCH_BELOW))}'
    if util.find_spec('torch') is None:
        raise RuntimeError(
            f'mmmim needs torch {bounds}: run `bash tools/quickstart.sh`, or `pip install torch`.'
        )
    version = metadata.version('torch')
    if not TORCH_MIN <= release(version) < TORCH_BELOW:
        raise RuntimeError(
            f'mmmim supports torch {bounds}, but {version} is installed: install one in that range.'
        )
    missing = [name for name in REQUIRED if util.find_spec(name) is None]
    if missing:
        raise RuntimeError(
            f'mmmim needs {", ".join(missing)}: install one of the two package families with '
            '`pip install "mmmim[onedl]"` or `pip install "mmmim[openmmlab]"`.'
        )
    names = ('transformers', 'pycocotools', *TRANSFORMERS)
    conflict = transformers_conflict({name: version_of(name) for name in names})
    if conflict:
        raise RuntimeError(f'{conflict[0]}; run `{conflict[1]}`.')
