"""Images per second and core of the pre-training data path, beside mmpretrain's.

    python tools/benchmarks/data_pipeline.py                    # synthetic JPEG, 64 px and 469x387
    python tools/benchmarks/data_pipeline.py --images DIR --size 224

Measures CPU seconds of one process, from file (or cache) to the collated uint8 batch: decode,
random resized crop, flip, collate. mmpretrain's side stops at its list of samples, before stacking.
"""

import argparse
import os
import tempfile
import time

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, init_default_scope
from PIL import Image

from mmmim.datasets import collate_views

SCALE = (0.2, 1.0)


def make_images(folder, height, width, count):
    """JPEG files whose spectrum falls as that of photographs; about 45 kB at 469x387."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    amplitude = np.maximum(frequency, 1 / max(height, width)) ** -1.45
    colours = np.array([[1, 0.9, 0.8], [0.1, 0.2, 0], [0, 0.1, 0.2]])
    for index in range(count):
        phase = np.exp(2j * np.pi * rng.random((3, *amplitude.shape)))
        waves = np.fft.irfft2(amplitude * phase, s=(height, width)).transpose(1, 2, 0) @ colours
        pixels = (waves - waves.mean()) / waves.std() * 55 + 120
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        image.save(os.path.join(folder, f'{index:05d}.jpg'), quality=85)


def ours(folder, size, cache):
    crop = dict(type='mmmim.RandomResizedCrop', size=size, scale=SCALE)
    pipeline = [crop, dict(type='mmmim.RandomFlip', prob=0.5)]
    config = dict(type='mmmim.ImageFolder', data_root=folder, pipeline=pipeline, cache=cache)
    return DATASETS.build(config), collate_views


def mmpretrains(folder, size):
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(
            type='RandomResizedCrop',
            scale=size,
            crop_ratio_range=SCALE,
            backend='pillow',
            interpolation='bicubic',
        ),
        dict(type='RandomFlip', prob=0.5),
        dict(type='PackInputs'),
    ]
    config = dict(type='CustomDataset', data_root=folder, with_label=False, pipeline=pipeline)
    return DATASETS.build(config), pseudo_collate


def rate(dataset, collate, count, batch=64, passes=4):
    """Best of several passes, the first of which fills the cache."""
    best = 0
    for _ in range(passes):
        start = time.process_time()
        for first in range(0, count, batch):
            collate([dataset[i] for i in range(first, min(first + batch, count))])
        best = max(best, count / (time.process_time() - start))
    return best


def compare(folder, size, count):
    theirs = rate(*mmpretrains(folder, size), count)
    plain = rate(*ours(folder, size, None), count)
    cached = rate(*ours(folder, size, 'ram'), count)
    print(f'images/s/core at {size} px: mmpretrain {theirs:.0f}, mmmim {plain:.0f}', end='')
    print(f" ({plain / theirs:.2f}x), mmmim cache='ram' {cached:.0f} ({cached / theirs:.2f}x)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--images', help='folder of images, instead of synthetic ones')
    parser.add_argument('--size', type=int, default=224, help='crop for --images')
    parser.add_argument('--count', type=int, default=256, help='images per pass')
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)  # as mmengine does in loader workers
    init_default_scope('mmpretrain')
    if args.images:
        count = len(ours(args.images, args.size, None)[0])
        return compare(args.images, args.size, min(args.count, count))
    for height, width, size in ((64, 64, 64), (387, 469, 224)):
        with tempfile.TemporaryDirectory() as folder:
            make_images(folder, height, width, args.count)
            compare(folder, size, args.count)


if __name__ == '__main__':
    main()
