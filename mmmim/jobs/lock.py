"""One command at a time in a folder."""

from __future__ import annotations

import fcntl
from pathlib import Path


class FolderLock:
    """Context manager; the lock goes with the process, however it ends.

    Args:
        folder: Made if it is not there.
        what: Who holds it, for the message.

    Raises:
        RuntimeError: On entering, if another process holds the lock.
    """

    def __init__(self, folder: Path, what: str):
        self.path, self.what = Path(folder) / '.lock', what

    def __enter__(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, 'w')
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise RuntimeError(
                f'Another {self.what} is running in {self.path.parent}: wait for it, or choose '
                'another place with --work-dir.'
            ) from None

    def __exit__(self, *_):
        self.file.close()
