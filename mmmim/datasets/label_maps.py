"""Label maps on disk: which labels they hold, and whether a model knows them."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

LARGEST = 255  # loaders of label maps keep 8 bits: what is above would be taken for another label


def labels_in(path) -> set[int]:
    """The values of a label map.

    Args:
        path: Image file of one channel.

    Raises:
        ValueError: If it has several channels.
        OSError: If it is missing or no image.
    """
    with Image.open(path) as image:
        if len(image.getbands()) > 1:
            raise ValueError(
                f'has {len(image.getbands())} channels ({image.mode}) where a label map has one, '
                'the number of the class'
            )
        if image.mode in ('L', 'P'):
            return {value for value, count in enumerate(image.histogram()[:256]) if count}
        return set(np.unique(np.asarray(image)).astype(int).tolist())


def label_problem(
    path, num_classes, reduce_zero_label=False, label_map=None, ignore_index=255
) -> str | None:
    """What is wrong with a label map, as the end of a sentence that begins with its name.

    Args:
        path: Image file.
        num_classes (int): Classes 0..num_classes - 1 that the model knows.
        reduce_zero_label (bool): 0 is unlabelled, 1 the first class (ADE20K).
        label_map (dict, optional): Label of the file (after ``reduce_zero_label``) -> class; -1 is
            255.
        ignore_index (int): Label without loss.
    """
    try:
        values = labels_in(path)
    except FileNotFoundError:
        return 'does not exist'
    except (OSError, ValueError) as error:
        text = str(error).replace(f' {str(path)!r}', '')
        return text if text.startswith('has ') else f'cannot be read ({text})'
    wrong = sorted(
        value
        for value in values
        if not _is_known(value, num_classes, reduce_zero_label, label_map, ignore_index)
    )
    if not wrong:
        return None
    more = f' and {len(wrong) - 1} more' if len(wrong) > 1 else ''
    allowed = f'0..{num_classes - 1 + int(reduce_zero_label)} and {ignore_index}'
    return f'holds label {wrong[0]}{more}, where {allowed} are allowed'


def _is_known(value, num_classes, reduce_zero_label, label_map, ignore_index) -> bool:
    if not 0 <= value <= LARGEST:
        return False
    if reduce_zero_label:
        value = LARGEST if value in (0, LARGEST) else value - 1
    value = (label_map or {}).get(value, value) % (LARGEST + 1)  # -1 is 255 in 8 bits
    return value == ignore_index or value < num_classes


def check_files(
    paths: Iterable, problem: Callable, seconds: float | None = None, threads: int = 8
) -> tuple[dict, int]:
    """Check many files at once, in the order given.

    Args:
        paths: Files.
        problem: path -> None or what is wrong with it.
        seconds: Begin no further file after that long.
        threads: Files read at the same time; decoding runs outside Python's lock.

    Returns:
        Path -> what is wrong, and the number of files that were checked.
    """
    end = None if seconds is None else time.monotonic() + seconds

    def one(path):
        if end is not None and time.monotonic() > end:
            return None, False
        return problem(path), True

    paths = list(paths)
    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(one, paths))
    found = {path: text for path, (text, _) in zip(paths, answers) if text}
    return found, sum(checked for _, checked in answers)
