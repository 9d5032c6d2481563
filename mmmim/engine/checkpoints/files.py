"""One checkpoint file: torch's zip archive, whose comment holds the checksum of all before it.

A comment belongs to the zip format, so every reader of checkpoints reads the file; one file holds
data and checksum, so that the two cannot come apart.
"""

import hashlib
import os

import torch

from mmmim.transfer.files import read_checkpoint

from ..disk import whole_file
from ..errors import CheckpointError

_MARK = b'mmmim sha256 '
_COMMENT = len(_MARK) + 64
_BLOCK = 2**22


class _Hashed:
    """A file that is written from front to back, and the digest of what was written."""

    def __init__(self, file):
        self.file, self.digest = file, hashlib.sha256()

    def write(self, data):
        self.digest.update(data)
        return self.file.write(data)

    def flush(self):
        self.file.flush()


def write_file(path, checkpoint):
    """Write plain data to ``path``, whole or not at all, with a checksum.

    Args:
        path (str): Target; what is there stays until the new file is complete on the disk.
        checkpoint: What ``torch.save`` takes.

    Raises:
        DiskSpaceError: If the disk is full.
    """
    with whole_file(path) as temporary:
        with open(temporary, 'wb') as file:
            hashed = _Hashed(file)
            torch.save(checkpoint, hashed)
            # The last two bytes of a zip archive are the length of its comment, 0 so far.
            file.seek(-2, os.SEEK_END)
            file.write(_COMMENT.to_bytes(2, 'little'))
            file.write(_MARK + hashed.digest.hexdigest().encode())


def intact(path):
    """Whether the content of a file is what was written; None if it carries no checksum."""
    with open(path, 'rb') as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _COMMENT))
        comment = file.read()
        if not comment.startswith(_MARK):
            return None
        file.seek(0)
        digest, left = hashlib.sha256(), size - _COMMENT - 2
        while left > 0:
            block = file.read(min(left, _BLOCK))
            digest.update(block)
            left -= len(block)
        digest.update(b'\0\0')
    return comment[len(_MARK) :].decode('ascii', 'replace') == digest.hexdigest()


def require_intact(path):
    """Refuse a damaged file.

    Raises:
        CheckpointError: If it is cut off, or differs from its checksum.
    """
    found = intact(path)
    if found is False:
        raise CheckpointError(
            f'{path} is damaged: its content does not fit the checksum it was written with. Copy '
            'it again, or take another checkpoint.'
        )
    if found is None and cut_off(path):
        raise CheckpointError(
            f'{path} is damaged: the file is cut off. Copy it again, or take another checkpoint.'
        )


def cut_off(path):
    """Whether a file starts as a zip archive but does not end as one."""
    with open(path, 'rb') as file:
        if file.read(4) != b'PK\x03\x04':
            return os.path.getsize(path) == 0
        file.seek(max(0, os.path.getsize(path) - 2**16 - 22))
        tail = file.read()
    end = tail.rfind(b'PK\x05\x06')  # 22 bytes, the last two of which tell the comment's length
    return end < 0 or end + 22 + int.from_bytes(tail[end + 20 : end + 22], 'little') != len(tail)


def read_verified(path, trust=False):
    """Content of a checkpoint on the CPU; its checksum has been looked at.

    Args:
        path (str): File, or URL of one.
        trust (bool): Unpickle whatever it holds, which may run code.

    Raises:
        CheckpointError: If it is absent, damaged, no checkpoint, or holds pickled objects and is
            not trusted.
    """
    try:
        return read_checkpoint(path, allow_pickle=trust)
    except (ValueError, FileNotFoundError) as error:
        text = str(error).replace('pass allow_pickle=True', 'pass --trust-checkpoint')
        raise CheckpointError(text) from error
