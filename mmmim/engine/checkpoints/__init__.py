"""Checkpoints as plain data: made on the host, written whole, verified, found again."""

from .files import read_verified, require_intact, write_file
from .newest import newest_intact
from .snapshot import snapshot
from .writer import Writer

__all__ = [
    'Writer',
    'newest_intact',
    'read_verified',
    'require_intact',
    'snapshot',
    'write_file',
]
