"""Every image that an annotation file in COCO's format lists must be there."""

import json
import os
import re

_NAME = re.compile(rb'"file_name"\s*:\s*("(?:[^"\\]|\\.)*")')
_TYPES = ('CocoDataset', 'mmdet.CocoDataset')


def missing_images(cfg, sections):
    """Sentences about images that annotation files list and folders lack.

    The names are searched in the text, and folders are listed once: 118287 images of COCO take
    seconds, where parsing the file and asking for each image would take minutes on network drives.

    Args:
        cfg (Config): The config.
        sections (Sequence[str]): ``'train'``, ``'val'``, ``'test'``.
    """
    problems, seen = [], set()
    for section in sections:
        loader = cfg.get(f'{section}_dataloader')
        dataset = loader.get('dataset') if isinstance(loader, dict) else None
        if not isinstance(dataset, dict) or dataset.get('type') not in _TYPES:
            continue
        if (dataset.get('backend_args') or {}).get('backend') not in (None, 'local', 'disk'):
            continue
        paths = _paths(dataset)
        if paths not in seen and all(os.path.exists(path) for path in paths):
            seen.add(paths)
            problems += _compare(*paths)
    return problems


def _paths(dataset):
    """(annotation file, image folder)."""
    root = dataset.get('data_root') or ''
    folder = (dataset.get('data_prefix') or {}).get('img') or ''
    return os.path.join(root, dataset.get('ann_file') or ''), os.path.join(root, folder)


def _compare(annotations, folder):
    if not os.path.isfile(annotations):
        return []
    with open(annotations, 'rb') as file:
        names = {json.loads(name) for name in _NAME.findall(file.read())}
    if not names:
        return [
            f'{annotations} lists no image: a file in COCO format needs '
            '"images": [{"file_name": ...}, ...].'
        ]
    present = {}
    missing = [name for name in sorted(names) if not _is_there(folder, name, present)]
    if not missing:
        return []
    return [
        f'{annotations} lists {len(names)} images, of which {len(missing)} are not in {folder!r}, '
        f'the first {missing[0]!r}: put them there, correct data_prefix.img, or take them out of '
        'the file.'
    ]


def _is_there(folder, name, present):
    """Whether an image exists, listing each folder once."""
    parent, base = os.path.split(os.path.join(folder, name))
    if parent not in present:
        present[parent] = set(os.listdir(parent)) if os.path.isdir(parent) else set()
    return base in present[parent]
