"""From what a person has, in one word, to the images: the only place that tells the kinds apart."""

import json
import os
import re
from collections.abc import Sequence

from .file_list import LISTS, PathTable, list_files
from .shards import ShardTable, find_shards

Source = PathTable | ShardTable
ARCHIVES = ('.tar.gz', '.tgz', '.tar.bz2', '.tar.xz', '.tar.zst', '.zip', '.7z', '.rar')
ACCEPTED = 'a folder, a glob, a list (.txt, .lst, .csv, .tsv), a COCO .json, or .tar shards'


def find_images(spec: str, files: str | Sequence[str] | None = None) -> Source:
    """Find the images of a data set without labels.

    Args:
        spec: A folder, searched recursively for every extension that can be read; a glob
            (``'scans/**/*.tif'``); a list of paths in a text or CSV file; the annotation file of a
            data set in COCO's format; a tar file of images, or a glob of such.
        files: Narrows a folder down, or is the list (glob, list file, COCO .json, or paths) whose
            relative paths start at ``spec``.

    Returns:
        The images in a fixed order, with ``len(source)``, ``source[i]`` (name), ``source.full(i)``
        (path, for messages), ``source.read(i)`` (content of the file as bytes),
        ``source.sha256()`` and ``source.root``.

    Raises:
        ValueError: If there is nothing there, or no image in it.
    """
    spec = os.path.expanduser(os.fspath(spec))
    if not spec:
        raise ValueError(f'the images are to be found in an empty word: give {ACCEPTED}.')
    if files is None and spec.lower().endswith(ARCHIVES):
        raise ValueError(
            f"'{spec}' is a packed archive, whose members cannot be read by their place: unpack "
            'it, and give the folder.'
        )
    if files is None and spec.lower().endswith('.tar'):
        return ShardTable(find_shards(spec))
    if files is None and spec.lower().endswith('.json'):
        return read_coco(spec)
    if isinstance(files, str) and files.lower().endswith('.json'):
        return read_coco(os.path.join(spec, files), root=spec)
    if files is None and os.path.isfile(spec) and not spec.lower().endswith(LISTS):
        raise ValueError(f"'{spec}' is one file and no list of images: give {ACCEPTED}.")
    return list_files(spec, files)


def read_coco(path: str, root: str | None = None) -> PathTable:
    """The images of an annotation file in COCO's format, in its order.

    Args:
        path: The .json file.
        root: Folder that ``file_name`` starts from. None looks where data sets keep it: beside the
            file, one folder up, in ``images``, and in a folder named as the split.

    Raises:
        ValueError: If it is no such file, or its first image is in none of these places.
    """
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
        names = [os.fspath(image['file_name']) for image in content['images']]
    except OSError as error:
        raise ValueError(f"'{path}' cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"'{path}' is no annotation file in COCO's format, which has a list 'images' with a "
            f"'file_name' each ({type(error).__name__}: {error})."
        ) from error
    if not names:
        raise ValueError(f"'{path}' lists no image.")
    folders = [root] if root is not None else _likely_folders(path)
    for folder in folders:
        if os.path.exists(os.path.join(folder, names[0])):
            return PathTable(names, folder)
    raise ValueError(
        f"the first image of '{path}', '{names[0]}', is in none of {', '.join(folders)}: say with "
        '--data-root FOLDER (data_root of the data set) where its images lie.'
    )


def _likely_folders(path: str) -> list[str]:
    here = os.path.dirname(path) or '.'
    above = os.path.join(here, os.pardir) if here in ('.', os.pardir) else os.path.dirname(here)
    above = above or '.'
    stem = os.path.splitext(os.path.basename(path))[0]
    split = re.sub(r'^[a-z]+_', '', stem)  # instances_train2017, captions_train2017
    inside = ['', 'images', split, os.path.join('images', split)]
    return list(
        dict.fromkeys(os.path.normpath(os.path.join(b, i)) for b in (here, above) for i in inside)
    )
