"""Room for checkpoints, checked before the first step, and files that are whole or absent."""

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager

from .errors import ConfigError, DiskSpaceError

GIB = 2**30


def checkpoint_bytes(model, slots=2):
    """Size of a checkpoint with the state of the optimizer.

    Args:
        model (nn.Module): Its state and gradients count.
        slots (int): Tensors the optimizer keeps per trainable parameter: 2 for Adam, 1 for SGD.

    Returns:
        int: Bytes.
    """
    state = sum(t.numel() * t.element_size() for t in model.state_dict().values())
    trained = sum(p.numel() * p.element_size() for p in model.parameters() if p.requires_grad)
    return state + slots * trained


def require_space(folder, needed, what):
    """Refuse to start where ``needed`` bytes will not fit.

    Raises:
        DiskSpaceError: Naming the folder, the free and the needed space.
    """
    free = shutil.disk_usage(existing_parent(folder)).free
    if free < needed:
        raise DiskSpaceError(
            f'The disk of {folder} has {free / GIB:.2f} GiB free, but {what} needs '
            f'{needed / GIB:.2f} GiB: free some space or choose another --work-dir.'
        )


def require_writable(folder, option='--work-dir'):
    """Refuse a folder that cannot be made or written, before anything is computed; nothing is left.

    Raises:
        ConfigError: Naming the option and the reason.
    """
    folder = os.path.abspath(folder)
    parent = existing_parent(folder)
    below = os.path.relpath(folder, parent).split(os.sep)[0]
    try:
        if below != os.curdir and os.path.lexists(os.path.join(parent, below)):
            raise NotADirectoryError(errno.ENOTDIR, f'{os.path.join(parent, below)} is a file')
        os.rmdir(tempfile.mkdtemp(prefix='.mmmim-', dir=parent))
    except OSError as error:
        if is_disk_full(error):
            return  # require_space says it with numbers
        raise ConfigError(
            f'{option} {folder}: no folder that can be written ({error.strerror}): name another.'
        ) from error


def require_place(file, option='--out'):
    """As :func:`require_writable`, for a file to write; a folder of its name is refused.

    Raises:
        ConfigError: Naming the option and the reason.
    """
    if os.path.isdir(file):
        raise ConfigError(f'{option} {file} is a folder: name a file to write.')
    require_writable(os.path.dirname(file) or '.', option)


def existing_parent(path):
    """The nearest folder above ``path`` that exists."""
    path = os.path.abspath(path)
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


@contextmanager
def whole_file(path):
    """Yield a temporary name beside ``path``; on success it is flushed to disk and renamed.

    A reader sees the old file or the new one, never a part, also when the process is killed.

    Raises:
        DiskSpaceError: If the disk is full; the old file stays.
    """
    temporary = os.path.join(os.path.dirname(path), f'.{os.path.basename(path)}.tmp')
    try:
        yield temporary
        with open(temporary, 'rb') as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(os.path.dirname(path) or '.')
    except BaseException as error:
        if os.path.exists(temporary):
            os.remove(temporary)
        if is_disk_full(error):
            raise DiskSpaceError(
                f'The disk of {os.path.dirname(path)} is full: {os.path.basename(path)} could not '
                'be written, what was there before is untouched.'
            ) from error
        raise


def sync_folder(path):
    """Make a renaming durable, where the file system lets one open a folder."""
    try:
        folder = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(folder)
    except OSError:  # some network file systems cannot
        pass
    finally:
        os.close(folder)


def is_disk_full(error):
    """Whether an exception says so: an OSError, or torch's writer, which raises RuntimeError."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, RuntimeError) and 'No space left on device' in str(error)
