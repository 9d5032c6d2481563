"""Whether ADE20K and COCO lie on disk as the recipes expect them: problems, with remedies."""

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PIL import Image

from .label_maps import check_files, label_problem

ADE20K = dict(training=20210, validation=2000)
ADE20K_CLASSES = 150
COCO = dict(train2017=118287, val2017=5000)
COCO_CLASSES = 80
COCO_FIELDS = ('id', 'image_id', 'category_id', 'bbox')


@dataclass
class Layout:
    """What was found.

    Attributes:
        found: Lines about what is there.
        problems: Sentences about what is wrong; none if the recipes can run.
    """

    found: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check_ade20k(root, counts=None, labels: bool = True) -> Layout:
    """The scene parsing release of ADE20K, as ``ADEChallengeData2016.zip`` unpacks.

    Args:
        root: Folder with ``images`` and ``annotations``.
        counts (dict, optional): Pairs expected per split; by default those of the release. Empty
            values take any number: ``dict(training=None, validation=None)``.
        labels (bool): Read every label map and compare its size with the image's.
    """
    root, layout = Path(root), Layout()
    inner = root / 'ADEChallengeData2016'
    if not (root / 'images').is_dir() and (inner / 'images').is_dir():
        layout.problems.append(f'{root} holds the data one folder deeper: give {inner}.')
        return layout
    for split, count in (counts or ADE20K).items():
        folders = root / 'images' / split, root / 'annotations' / split
        missing = [str(folder) for folder in folders if not folder.is_dir()]
        if missing:
            layout.problems.append(
                f'there is no folder {missing[0]}: unpack ADEChallengeData2016.zip, or link it.'
            )
            continue
        _check_ade20k_split(layout, *folders, count, labels)
    return layout


def _check_ade20k_split(layout, images, annotations, count, labels):
    names = {path.stem for path in images.glob('*.jpg')}
    maps = {path.stem for path in annotations.glob('*.png')}
    for lonely, folder, suffix in (
        (names - maps, annotations, 'png'),
        (maps - names, images, 'jpg'),
    ):
        if lonely:
            layout.problems.append(
                f'{folder} lacks {len(lonely)} files, the first {min(lonely)}.{suffix}: unpack the '
                'archive again.'
            )
    pairs = sorted(names & maps)
    layout.found.append(f'{images}: {len(pairs)} images with label maps')
    _compare_count(layout, images, len(pairs), count)
    if not labels:
        return
    problem = partial(_ade20k_problem, images)
    found, _ = check_files([annotations / f'{name}.png' for name in pairs], problem)
    if found:
        path = min(found)
        layout.problems.append(
            f'{len(found)} label maps are not in order, the first: {path} {found[path]}. The maps '
            'of ADEChallengeData2016 have one channel, 0 for unlabelled and 1..150 for classes; '
            'those of the full ADE20K are coded in colours and do not fit.'
        )


def _ade20k_problem(images, path) -> str | None:
    text = label_problem(path, ADE20K_CLASSES, reduce_zero_label=True)
    if text:
        return text
    try:
        with Image.open(path) as label_map, Image.open(images / f'{path.stem}.jpg') as image:
            sizes = label_map.size, image.size
    except OSError as error:
        return f'has an image that cannot be read ({error})'
    if sizes[0] != sizes[1]:
        return 'is {}x{}, its image {}x{}'.format(*sizes[0], *sizes[1])
    return None


def _compare_count(layout, place, number, count):
    if count is not None and number != count:
        layout.problems.append(
            f'{place} has {number} images where the release has {count}: the download is not '
            'complete, or (--any-count) yours is a part.'
        )


def check_coco(root, counts=None) -> Layout:
    """COCO 2017 as its archives unpack, or a data set of one's own in its format.

    Args:
        root: Folder with ``annotations/instances_{split}.json`` and a folder of images per split.
        counts (dict, optional): Images expected per split; by default those of COCO. With other
            numbers, or None, other categories than COCO's 80 are taken too.
    """
    root, layout = Path(root), Layout()
    for split, count in (counts or COCO).items():
        file, folder = root / f'annotations/instances_{split}.json', root / split
        missing = [str(path) for path in (file, folder) if not path.exists()]
        if missing:
            layout.problems.append(
                f'there is no {missing[0]}: unpack {split}.zip and annotations_trainval2017.zip, '
                'or link them there.'
            )
            continue
        try:
            content = json.loads(file.read_bytes())
        except ValueError as error:
            layout.problems.append(f'{file} is no JSON ({error}): unpack the archive again.')
            continue
        lists = [content.get(key) if isinstance(content, dict) else None for key in _LISTS]
        if not all(isinstance(part, list) and part for part in lists):
            layout.problems.append(f'{file} needs lists {", ".join(_LISTS)}, none of them empty.')
            continue
        _check_coco_split(layout, file, folder, *lists, count)
    return layout


_LISTS = ('images', 'annotations', 'categories')


def _check_coco_split(layout, file, folder, images, annotations, categories, count):
    names = {str(image.get('file_name')) for image in images}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file()}
    missing = sorted(names - present)
    if missing:
        layout.problems.append(
            f'{file} lists {len(names)} images, of which {len(missing)} are not in {folder}, the '
            f'first {missing[0]}: unpack the archive again.'
        )
    layout.found.append(f'{file}: {len(images)} images, {len(annotations)} objects')
    _compare_count(layout, folder, len(images), count)
    if count in COCO.values() and len(categories) != COCO_CLASSES:
        layout.problems.append(
            f'{file} has {len(categories)} categories where COCO has {COCO_CLASSES}.'
        )
    known = {image.get('id') for image in images}, {kind.get('id') for kind in categories}
    wrong = Counter(filter(None, (_object_problem(item, *known) for item in annotations)))
    layout.problems += [f'{file}: {number} objects {text}.' for text, number in wrong.items()]


def _object_problem(item, images, categories) -> str | None:
    lacking = [key for key in COCO_FIELDS if key not in item]
    if lacking:
        return f'have no {lacking[0]}'
    if item['image_id'] not in images:
        return 'lie on an image that is not listed (image_id)'
    if item['category_id'] not in categories:
        return 'are of a category that is not listed (category_id)'
    if len(item['bbox']) != 4 or min(item['bbox'][2:]) < 0:
        return 'have a bbox that is not [left, top, width, height]'
    return None
