"""Which files make up an unlabelled data set: a folder, a glob, a list in a text or CSV file."""

import csv
import glob as globbing
import hashlib
import os
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import numpy as np

from .decoding import ImageError, image_extensions

_SHOWN = ('.jpg', '.png', '.tif', '.webp', '.npy')
LISTS = ('.txt', '.lst', '.csv', '.tsv')
COLUMNS = ('path', 'file', 'filename', 'file_name', 'image', 'image_path', 'img')


class PathTable:
    """Paths as two NumPy arrays: no Python object per file, hence nothing that the reference counts
    of forked workers could copy page by page.

    Args:
        paths: Paths relative to ``root``, or absolute, in the order wanted.
        root: Folder that relative paths start from.
    """

    def __init__(self, paths: Iterable[str], root: str = '') -> None:
        encoded = [os.fsencode(path) for path in paths]
        self.root = root
        self.offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(path) for path in encoded], out=self.offsets[1:])
        self.blob = np.frombuffer(b''.join(encoded), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        """Path as listed, relative to the root where the list is."""
        if not 0 <= index < len(self):
            raise IndexError(f'sample {index} of a list of {len(self)} files')
        start, end = self.offsets[index : index + 2]
        return os.fsdecode(self.blob[start:end].tobytes())

    def full(self, index: int) -> str:
        """Path that can be opened."""
        return os.path.join(self.root, self[index])

    def read(self, index: int) -> bytes:
        """Content of the file.

        Raises:
            ImageError: If it cannot be opened.
        """
        try:
            with open(self.full(index), 'rb', buffering=0) as file:
                return file.read()
        except OSError as error:
            raise ImageError(f'{type(error).__name__}: {error.strerror}') from error

    def open(self, index: int) -> BinaryIO:
        """The file opened for reading, to look at its header."""
        return open(self.full(index), 'rb')

    def sha256(self) -> str:
        """Hash of the listed paths in order; it does not depend on where the root lies."""
        digest = hashlib.sha256(self.offsets.astype('<i8').tobytes())
        digest.update(self.blob.tobytes())
        return digest.hexdigest()


def list_files(data_root: str, files: str | Sequence[str] | None = None) -> PathTable:
    """List the images of an unlabelled data set.

    Args:
        data_root: A folder, searched recursively for every extension PIL reads (links followed,
            hidden files left out); without ``files`` also a glob or a list file.
        files: Narrows it down: a glob below ``data_root`` (``'*/a*.jpg'``, ``'**/*.png'``), the
            path of a list file, or a list of paths. A list file has one path per line (``.txt``,
            ``.lst``; a label behind the path is ignored) or a column named path, file, filename,
            file_name, image, image_path or img, else the first one (``.csv``, ``.tsv``).
            Its relative paths start at ``data_root``.

    Raises:
        ValueError: If the folder or list file is missing, or holds no image.
    """
    data_root = os.path.expanduser(os.fspath(data_root))
    if files is None and os.path.splitext(data_root)[1].lower() in LISTS:
        data_root, files = os.path.split(data_root)
    if files is None and globbing.has_magic(data_root) and not os.path.exists(data_root):
        data_root, files = '', data_root
    if not os.path.isdir(data_root or '.'):
        what = 'is a file, not a folder' if os.path.exists(data_root) else 'does not exist'
        raise ValueError(f"data_root '{data_root}' {what}: give the folder that holds the images.")
    if files is None:
        return PathTable(_walk(data_root), data_root)
    if not isinstance(files, str):
        return _non_empty(list(files), data_root, 'the list of files')
    if globbing.has_magic(files):
        found = globbing.glob(files, root_dir=data_root or None, recursive=True)
        known = image_extensions()
        found = [path for path in found if os.path.splitext(path)[1].lower() in known]
        return _non_empty(sorted(found, key=os.fsencode), data_root, f"the pattern '{files}'")
    return _non_empty(_read_list(data_root, files), data_root, f"the list file '{files}'")


def _non_empty(paths: list[str], root: str, what: str) -> PathTable:
    if not paths:
        raise ValueError(f"{what} names no image (relative paths start at '{root or '.'}').")
    return PathTable(paths, root)


def _walk(root: str) -> list[str]:
    """Relative paths of all images below a folder, sorted by their bytes."""
    known, found, others, seen = image_extensions(), [], 0, set()
    stack = [root]
    while stack:
        folder = stack.pop()
        folders, names, rest = _scan(folder, known, seen)
        stack.extend(folders)
        found.extend(names)
        others += rest
    if not found:
        content = f'{others} files but no image' if others else 'no file'
        raise ValueError(
            f"data_root '{root}' holds {content} (searched recursively for "
            f'{", ".join(_SHOWN)} and {len(known) - len(_SHOWN)} more extensions): '
            'give the folder that holds the images.'
        )
    prefix = len(os.path.join(root, ''))
    return sorted((path[prefix:] for path in found), key=os.fsencode)


def _scan(folder: str, known: frozenset, seen: set) -> tuple[list[str], list[str], int]:
    """Sub-folders, images and the number of other files of one folder, each folder once."""
    status = os.stat(folder)
    identity = (status.st_dev, status.st_ino)
    if identity in seen:  # a link to a folder above or beside
        return [], [], 0
    seen.add(identity)
    folders, names, rest = [], [], 0
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: os.fsencode(e.name), reverse=True):
            if entry.name.startswith('.') or entry.name == '__MACOSX':  # among them ._x.jpg
                continue
            if _is_folder(entry):
                folders.append(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in known and _may_be_read(entry):
                names.append(entry.path)
            else:
                rest += 1
    return folders, names, rest


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _may_be_read(entry: os.DirEntry) -> bool:
    """Whether a name stands for a file, or for a link, which is told as broken if it is; a pipe
    would be waited for without end."""
    return entry.is_symlink() or entry.is_file()


def _read_list(root: str, name: str) -> list[str]:
    path = os.path.join(root, name)
    if not os.path.isfile(path):
        raise ValueError(f"list file '{path}' does not exist.")
    # surrogateescape: names that are not UTF-8 come back as the bytes they are
    with open(path, encoding='utf-8-sig', errors='surrogateescape', newline='') as file:
        if path.lower().endswith(('.csv', '.tsv')):
            return _read_csv(file, delimiter='\t' if path.lower().endswith('.tsv') else ',')
        lines = [line.strip() for line in file]
    return _drop_labels([line for line in lines if line and not line.startswith('#')], root)


def _read_csv(file, delimiter: str) -> list[str]:
    rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    column: int | None = next((header.index(c) for c in COLUMNS if c in header), None)
    body = rows if column is None else rows[1:]
    return [row[column or 0].strip() for row in body if len(row) > (column or 0)]


def _drop_labels(lines: list[str], root: str) -> list[str]:
    """ImageNet's lists read 'path label'; a path may hold blanks itself, so the disk decides."""
    if not lines or os.path.exists(os.path.join(root, lines[0])):
        return lines
    parts = [line.rsplit(None, 1) for line in lines]
    labelled = all(len(p) == 2 and p[1].lstrip('-').isdigit() for p in parts)
    return [p[0] for p in parts] if labelled else lines
