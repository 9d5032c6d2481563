"""The newest checkpoint of a work directory that is intact."""

import glob
import logging
import os

from mmengine.logging import print_log

from ..errors import CheckpointError
from .files import require_intact

POINTER = 'last_checkpoint'


def newest_intact(work_dir):
    """Path of the checkpoint to resume from, or None if there has been none.

    The file named by ``last_checkpoint`` comes first, then the others from new to old. Each is
    compared to its checksum; damaged ones are named in the log.

    Raises:
        CheckpointError: If there are checkpoints and all are damaged.
    """
    found = candidates(work_dir)
    for path in found:
        try:
            require_intact(path)
        except CheckpointError as error:
            print_log(
                f'{error} RESUMING FROM THE ONE BEFORE, IF THERE IS ONE.', 'current', logging.ERROR
            )
        else:
            return path
    if found:
        raise CheckpointError(
            f'all {len(found)} checkpoints in {work_dir} are damaged: remove them to start anew.'
        )
    return None


def candidates(work_dir):
    """Checkpoints with the full state: the last one, then the others from new to old."""
    last = pointed_to(work_dir)
    folder = os.path.dirname(last) if last else work_dir
    paths = [p for kind in ('epoch_*.pth', 'iter_*.pth') for p in glob.glob(f'{folder}/{kind}')]
    paths.sort(key=lambda path: os.stat(path).st_mtime_ns, reverse=True)
    return [last, *(p for p in paths if p != last)] if last else paths


def pointed_to(work_dir):
    """The file that ``last_checkpoint`` names; the directory may have been moved since."""
    pointer = os.path.join(work_dir, POINTER)
    if not os.path.isfile(pointer):
        return None
    with open(pointer, encoding='utf-8') as file:
        named = file.read().strip()
    places = (named, os.path.join(work_dir, os.path.basename(named)))
    return next((path for path in places if os.path.isfile(path)), None)
