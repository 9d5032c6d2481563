"""Scenes to files: images, label maps and class folders of a run of scenes, by any process."""

import os
from pathlib import Path

import cv2

from .annotations import describe_objects, label_map
from .composition import draw_scene
from .shapes import SHAPES

PER_FOLDER = 1000  # unlabelled images per sub-folder


def image_name(index):
    return f'{index:06d}.jpg'


def unlabeled_path(root, index):
    return Path(root) / 'unlabeled' / f'{index // PER_FOLDER:02d}' / image_name(index)


def make_folders(root, counts):
    """All folders of the layout, so that processes need not agree on who makes them."""
    root = Path(root)
    (root / 'annotations').mkdir(parents=True, exist_ok=True)
    for start in range(0, counts['unlabeled'], PER_FOLDER):
        unlabeled_path(root, start).parent.mkdir(parents=True, exist_ok=True)
    for split in counts:
        if split != 'unlabeled':
            for part in ('images', 'labels'):
                (root / split / part).mkdir(parents=True, exist_ok=True)
            for name in SHAPES:
                (root / 'cls' / split / name).mkdir(parents=True, exist_ok=True)


def write_run(root, settings, split, start, stop):
    """Write scenes ``start`` to ``stop`` of a split.

    Args:
        root (Path): Folder of the data set, with its folders made.
        settings (Settings): See ``make_scenes``.
        split (str): Split.
        start (int): First index.
        stop (int): One past the last index.

    Returns:
        list[dict]: ``file_name`` and ``objects`` per scene; empty for the unlabelled split.
    """
    root = Path(root)
    records = []
    for index in range(start, stop):
        scene = draw_scene(settings.seed, split, index, size=settings.size, style=settings.style)
        if split == 'unlabeled':
            _write_image(unlabeled_path(root, index), scene.image, settings.quality)
            continue
        objects = describe_objects(scene)
        name = image_name(index)
        image = root / split / 'images' / name
        _write_image(image, scene.image, settings.quality)
        _write_image((root / split / 'labels' / name).with_suffix('.png'), label_map(scene))
        _share(image, root / 'cls' / split / SHAPES[scene.objects[0]['label']] / name)
        records.append(dict(file_name=name, objects=objects))
    return records


def _write_image(path, image, quality=None):
    options = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    done, data = cv2.imencode(path.suffix, image, options)
    if not done:
        raise RuntimeError(f'OpenCV could not encode {path.name}')
    # imwrite only returns False on a full disk; write_bytes raises the reason.
    path.write_bytes(data)


def _share(source, link):
    """A hard link, or a copy where the file system has none."""
    link.unlink(missing_ok=True)
    try:
        os.link(source, link)
    except OSError:
        link.write_bytes(source.read_bytes())
