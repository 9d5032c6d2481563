"""A few images in the formats of COCO, ADE20K and ImageNet, written to disk."""

import json

import numpy as np
from PIL import Image, ImageDraw

HEIGHT, WIDTH = 64, 96


def _image(rng):
    """Noise with two rectangles, and the rectangles (x, y, w, h)."""
    image = Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    boxes = []
    for _ in range(2):
        w, h = (int(rng.integers(24, 40)) for _ in range(2))
        x, y = int(rng.integers(0, WIDTH - w)), int(rng.integers(0, HEIGHT - h))
        color = tuple(int(c) for c in rng.integers(0, 256, 3))
        ImageDraw.Draw(image).rectangle([x, y, x + w - 1, y + h - 1], fill=color)
        boxes.append((x, y, w, h))
    return image, boxes


def _corners(x, y, w, h):
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def make_coco(root, count=4):
    """``root/{train,val}2017/*.jpg`` and ``root/annotations/instances_{train,val}2017.json``.

    All 80 categories are listed, as in the real files: mmdet numbers its predictions by them.
    """
    from mmdet.datasets import CocoDataset

    names = CocoDataset.METAINFO['classes']
    rng = np.random.default_rng(0)
    (root / 'annotations').mkdir(parents=True)
    for split in ('train2017', 'val2017'):
        (root / split).mkdir()
        images, annotations = [], []
        for i in range(count):
            image, boxes = _image(rng)
            name = f'{i:012d}.jpg'
            image.save(root / split / name)
            images.append(dict(id=i, file_name=name, height=HEIGHT, width=WIDTH))
            for box, category in zip(boxes, (1, 3)):
                annotations.append(
                    dict(
                        id=len(annotations) + 1,
                        image_id=i,
                        category_id=category,
                        bbox=list(box),
                        area=box[2] * box[3],
                        segmentation=[_corners(*box)],
                        iscrowd=0,
                    )
                )
        categories = [dict(id=i, name=name) for i, name in enumerate(names, start=1)]
        content = dict(images=images, annotations=annotations, categories=categories)
        (root / f'annotations/instances_{split}.json').write_text(json.dumps(content))
    return root


def make_ade20k(root, count=4):
    """``root/{images,annotations}/{training,validation}``; 0 is unlabelled, 1..150 the classes."""
    rng = np.random.default_rng(0)
    for split in ('training', 'validation'):
        for kind in ('images', 'annotations'):
            (root / kind / split).mkdir(parents=True)
        for i in range(count):
            image, boxes = _image(rng)
            labels = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
            for (x, y, w, h), label in zip(boxes, (1, 150)):
                labels[y : y + h, x : x + w] = label
            image.save(root / f'images/{split}/ADE_{i}.jpg')
            Image.fromarray(labels).save(root / f'annotations/{split}/ADE_{i}.png')
    return root


def make_imagenet(root, count=4):
    """``root/{train,val}/nXXXXXXXX/*.JPEG`` of two classes, and lists ``root/{train,val}.txt``."""
    rng = np.random.default_rng(0)
    for split in ('train', 'val'):
        lines = []
        for label, wnid in enumerate(('n01440764', 'n01443537')):
            (root / split / wnid).mkdir(parents=True)
            for i in range(count // 2):
                name = f'{wnid}/{wnid}_{i}.JPEG'
                _image(rng)[0].save(root / split / name)
                lines.append(f'{name} {label}')
        (root / f'{split}.txt').write_text('\n'.join(lines))
    return root
