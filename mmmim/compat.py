"""Version gates of the stack underneath, in one place.

Gates raise ``RuntimeError``: mmengine swallows an ``ImportError`` while it imports
``mmmim.registry``, and users would only read that a class "is not in the registry".
"""

from importlib import metadata, util

TORCH_MIN, TORCH_BELOW = (2, 4), (2, 14)
REQUIRED = ('mmengine', 'mmcv', 'mmpretrain')


def release(version):
    """The leading integers of a version string: ``'2.11.0+cpu'`` gives ``(2, 11, 0)``."""
    parts = []
    for part in version.split('+')[0].split('.'):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)


def check_stack():
    """Refuse a stack that cannot work, saying what to install.

    Raises:
        RuntimeError: If torch is missing or outside the supported range, or if mmengine, mmcv or
            mmpretrain is missing.
    """
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
