"""Lists of labelled images, ``class/name label`` per line: made, drawn and checked."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from .decoding import ImageError, read_size
from .file_list import list_files
from .randomness import philox
from .subset import choose_images, class_of

_FRACTION = 5  # stream
_SHOWN = 3

Entry = tuple[str, int]


def label_paths(paths: Iterable[str], classes: Sequence[str]) -> list[Entry]:
    """Each path with the place of its folder among ``classes``.

    Raises:
        ValueError: If a folder is none of them.
    """
    label = {name: index for index, name in enumerate(classes)}
    entries = []
    for path in paths:
        if class_of(path) not in label:
            raise ValueError(f'{path!r} lies in none of the {len(label)} class folders.')
        entries.append((path, label[class_of(path)]))
    return entries


def class_folders(root: str) -> list[str]:
    """Names of the folders below ``root``, sorted: their places are the labels of mmpretrain.

    Raises:
        ValueError: If there are none.
    """
    if not os.path.isdir(root):
        raise ValueError(f"the folder '{root}' does not exist.")
    names = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    if not names:
        raise ValueError(f"'{root}' holds no class folders.")
    return names


def list_of_names(root: str, names: Sequence[str]) -> list[Entry]:
    """Labelled paths of bare file names whose class stands in front, as SimCLR's subset lists have
    them (``n01440764_10026.JPEG``).

    Raises:
        ValueError: If an image is not there, or a name has no class of ``root`` in front.
    """
    paths = [f'{name.split("_")[0]}/{name}' for name in names]
    entries = label_paths(paths, class_folders(root))
    absent = [path for path in paths if not os.path.isfile(os.path.join(root, path))]
    if absent:
        raise ValueError(f"{len(absent)} of {len(paths)} images are not in '{root}': {absent[0]}.")
    return entries


def draw_fraction(root: str, percent: float, seed: int = 0) -> list[Entry]:
    """The same share of each class, drawn from the seed; at least one image of each [ours].

    A smaller share of the same seed is a part of a larger one.

    Raises:
        ValueError: If ``percent`` is not in (0, 100].
    """
    if not 0 < percent <= 100:
        raise ValueError(f'percent must lie in (0, 100], got {percent}.')
    paths = list(list_files(root))
    keys = philox(seed, 0, 0, _FRACTION).random_raw(len(paths))
    members: dict[str, list[int]] = {}
    for index in np.argsort(keys, kind='stable').tolist():
        members.setdefault(class_of(paths[index]), []).append(index)
    chosen = [
        index
        for part in members.values()
        for index in part[: max(1, round(len(part) * percent / 100))]
    ]
    return label_paths([paths[index] for index in sorted(chosen)], class_folders(root))


def draw_images(root: str, num_images: int, sampling: str, seed: int = 0) -> list[Entry]:
    """The images of ``mmmim.ImageSubset`` with the same arguments, labelled among all classes."""
    paths = list(list_files(root))
    chosen = choose_images(paths, num_images, sampling, seed)
    return label_paths([paths[index] for index in chosen], class_folders(root))


def list_classes(root: str, classes: Sequence[str]) -> list[Entry]:
    """All images of some classes, labels counting these in alphabetical order."""
    paths = list(list_files(root))
    chosen = choose_images(paths, classes=classes)
    return label_paths([paths[index] for index in chosen], sorted(classes))


def write_list(entries: Iterable[Entry], path: str) -> None:
    """Write a list whole or not at all."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    part = f'{path}.part'
    with open(part, 'w', encoding='utf-8', errors='surrogateescape') as file:
        file.writelines(f'{name} {label}\n' for name, label in entries)
    os.replace(part, path)


def read_list(path: str) -> list[Entry]:
    """Read a list.

    Raises:
        ValueError: If it is missing or empty, or a line is no path and label; names the line.
    """
    if not os.path.isfile(path):
        raise ValueError(f"the list '{path}' does not exist.")
    entries = []
    with open(path, encoding='utf-8', errors='surrogateescape') as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            name, _, label = line.strip().rpartition(' ')
            if not name or not label.isdigit():
                raise ValueError(f"'{path}', line {number}: {line.strip()!r} is no `path label`.")
            entries.append((name, int(label)))
    if not entries:
        raise ValueError(f"the list '{path}' is empty.")
    return entries


def check_lists(root: str, train: str, val: str, num_classes: int | None = None) -> dict:
    """Check the lists of a data set of class folders, such as Clipart and Sketch of CMPlaces.

    Args:
        root: Folder that the paths start from.
        train, val: List files.
        num_classes: What the labels must be, 0..num_classes-1; None takes the largest.

    Returns:
        dict: ``classes``, images of ``train`` and ``val``, ``fewest`` images of a class in train.

    Raises:
        ValueError: With all problems found: unreadable or missing images, labels outside the
            range or never seen in training, folders of two labels, images in both lists.
    """
    lists = dict(train=read_list(train), val=read_list(val))
    everything = [*lists['train'], *lists['val']]
    count = num_classes or 1 + max(label for _, label in everything)
    seen = Counter(label for _, label in lists['train'])
    labels_of: dict[str, set[int]] = {}
    for name, label in everything:
        labels_of.setdefault(class_of(name), set()).add(label)
    found = {
        'images cannot be read': _unreadable(root, everything),
        f'labels are outside 0..{count - 1}': sorted({n for _, n in everything if n >= count}),
        'labels have no image in train': [n for n in range(count) if n not in seen],
        'folders have two labels': [f for f, labels in labels_of.items() if len(labels) > 1],
        'images are in both lists': sorted(
            {n for n, _ in lists['train']} & {n for n, _ in lists['val']}
        ),
    }
    problems = [
        f'{len(items)} {what} ({", ".join(map(str, items[:_SHOWN]))})'
        for what, items in found.items()
        if items
    ]
    if problems:
        raise ValueError(f"'{root}': {'; '.join(problems)}.")
    return dict(
        classes=count, train=len(lists['train']), val=len(lists['val']), fewest=min(seen.values())
    )


def _unreadable(root: str, entries: Sequence[Entry]) -> list[str]:
    broken = []
    for name, _ in entries:
        try:
            read_size(os.path.join(root, name))
        except ImageError:
            broken.append(name)
    return broken
