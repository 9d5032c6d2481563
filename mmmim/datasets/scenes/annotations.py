"""What is written beside the images: COCO json, label maps, class lists and a table."""

import csv
import io

import numpy as np

from .shapes import SHAPES
from .textures import TEXTURES

BACKGROUND = 'background'


def encode_rle(mask):
    """Uncompressed run lengths in COCO's order.

    Args:
        mask: (H, W) bool.

    Returns:
        dict: ``size`` [H, W] and ``counts``, the lengths of alternating runs of 0 and 1 down the
        columns, starting with the (possibly empty) first run of 0.
    """
    flat = np.concatenate([[False], mask.ravel(order='F'), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], edges, [mask.size]]))
    # A mask that reaches the last pixel would end in a run of length 0, which COCO leaves out.
    counts = counts[:-1] if len(counts) > 1 and counts[-1] == 0 else counts
    return dict(size=list(mask.shape), counts=counts.tolist())


def label_map(scene):
    """(H, W) uint8: 0 background, k + 1 on the visible pixels of class k."""
    table = np.array([0] + [one['label'] + 1 for one in scene.objects], np.uint8)
    return table[scene.owner]


def describe_objects(scene):
    """The visible objects of a scene as COCO annotations without ids.

    Returns:
        list[dict]: ``bbox`` is [x, y, w, h] of the visible pixels, ``area`` their number. Beside
        COCO's keys ``texture`` (str), ``home`` (0 or 1), ``visible`` (fraction) and ``dominant``.
    """
    found = []
    for number, one in enumerate(scene.objects):
        mask = scene.owner == number + 1
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not len(rows):  # hidden completely
            continue
        x, y = int(columns[0]), int(rows[0])
        found.append(
            dict(
                category_id=one['label'] + 1,
                iscrowd=0,
                area=int(mask.sum()),
                bbox=[x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y],
                segmentation=encode_rle(mask),
                texture=TEXTURES[one['texture']],
                home=int(one['home']),
                visible=round(one['visible'], 3),
                dominant=int(number == 0),
            )
        )
    return found


def coco(records, size):
    """One COCO dictionary.

    Args:
        records (list[dict]): ``file_name`` and ``objects`` (see ``describe_objects``) per image.
        size (int): Side of the images.
    """
    images, annotations = [], []
    for image_id, record in enumerate(records):
        images.append(dict(id=image_id, file_name=record['file_name'], height=size, width=size))
        for one in record['objects']:
            annotations.append(dict(id=len(annotations) + 1, image_id=image_id, **one))
    return dict(
        info=dict(description='Generated scenes of textured shapes'),
        licenses=[],
        categories=[
            dict(id=k + 1, name=name, supercategory='shape') for k, name in enumerate(SHAPES)
        ],
        images=images,
        annotations=annotations,
    )


def class_list(records, *, away_only=False):
    """Lines ``class/file label`` as mmpretrain reads them.

    Args:
        records (list[dict]): As for ``coco``.
        away_only (bool): Only scenes whose dominant object does not wear its home texture.
    """
    lines = []
    for record in records:
        first = record['objects'][0]
        if not (away_only and first['home']):
            label = first['category_id'] - 1
            lines.append(f'{SHAPES[label]}/{record["file_name"]} {label}\n')
    return ''.join(lines)


def scene_table(records):
    """CSV text with one row per image about its dominant object."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator='\n')
    rows.writerow(['image', 'class', 'label', 'texture', 'home', 'visible', 'objects'])
    for record in records:
        first = record['objects'][0]
        label = first['category_id'] - 1
        rows.writerow(
            [
                record['file_name'],
                SHAPES[label],
                label,
                first['texture'],
                first['home'],
                first['visible'],
                len(record['objects']),
            ]
        )
    return text.getvalue()
