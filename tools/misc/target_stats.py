"""Mean and variance of every patch dimension over a folder of images.

    python tools/misc/target_stats.py data/imagenet/train --patch-size 16 --out stats/in1k_p16.npz

Robust MAE's global patch target (normalize='patch' of mmmim.PixelTarget) reads the result.
"""

import argparse
import os
import sys
import time

import numpy as np


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', help='folder (searched recursively), glob or list file of images')
    parser.add_argument('--files', help='glob or list file below DATA')
    parser.add_argument('--patch-size', type=int, default=16)
    parser.add_argument('--out', required=True, help='.npz file to write')
    parser.add_argument('--resize', type=int, default=256, help='short side before the crop')
    parser.add_argument('--crop', type=int, default=224, help='side of the crop')
    parser.add_argument(
        '--stats-crop',
        choices=['fixed', 'train'],
        default='fixed',
        help='fixed: short side RESIZE, centre CROP; train: random resized crops and flips',
    )
    parser.add_argument('--scale', type=float, nargs=2, default=[0.2, 1.0], help='of train crops')
    parser.add_argument('--passes', type=int, default=1, help='over the data, with train crops')
    parser.add_argument('--seed', type=int, default=0, help='of train crops')
    parser.add_argument('--workers', type=int, default=min(8, os.cpu_count() or 1))
    return parser.parse_args(argv)


def build_pipeline(args):
    """The transforms, and their description for the record."""
    if args.stats_crop == 'train':
        crop = dict(type='mmmim.RandomResizedCrop', size=args.crop, scale=tuple(args.scale))
        record = dict(mode='train', size=args.crop, scale=args.scale, seed=args.seed)
        return [crop, dict(type='mmmim.RandomFlip')], dict(record, passes=args.passes)
    resize = dict(type='mmmim.ResizeShort', size=args.resize)
    record = dict(mode='fixed', resize=args.resize, size=args.crop)
    return [resize, dict(type='mmmim.CenterCrop', size=args.crop)], record


def check(args):
    if args.patch_size < 1 or args.crop % args.patch_size:
        raise ValueError(f'--patch-size {args.patch_size} does not divide --crop {args.crop}.')
    if args.stats_crop == 'fixed' and args.resize < args.crop:
        raise ValueError(f'--resize {args.resize} is smaller than --crop {args.crop}.')
    if args.stats_crop == 'fixed' and args.passes != 1:
        raise ValueError('--passes needs --stats-crop train: every pass of a fixed crop is alike.')
    if not args.out.endswith('.npz'):
        raise ValueError(f"--out '{args.out}' must end in .npz.")


def show_progress(images):
    """A line every two seconds."""
    now = time.monotonic()
    if now - show_progress.last >= 2:
        rate = images / (now - show_progress.start)
        print(f'{images} images, {rate:.0f} images/s', flush=True)
        show_progress.last = now


def summary(args, dataset, sums):
    """Lines that describe the result."""
    stats = sums.stats()
    mean = stats.mean.reshape(-1, 3).mean(axis=0)
    within = stats.var.reshape(-1, 3).mean(axis=0)
    between = stats.mean.reshape(-1, 3).var(axis=0)
    std = np.sqrt(within + between)
    yield f'{sums.images} images, {sums.patches} patches of {args.patch_size}x{args.patch_size}'
    yield 'RGB mean ' + ' '.join(f'{255 * m:.3f}' for m in mean) + ' (0-255)'
    yield 'RGB std  ' + ' '.join(f'{255 * s:.3f}' for s in std) + ' (0-255)'
    spread = np.sqrt(stats.var)
    yield f'std of a patch dimension {spread.min():.4f} to {spread.max():.4f} (0-1)'
    yield f'list sha256 {dataset.paths.sha256()}'
    for name in dataset.skipped:
        yield f'skipped {name}'
    yield f'written to {args.out}'


def main(argv=None):
    args = parse_args(argv)
    check(args)
    from mmengine.registry import DATASETS

    from mmmim.datasets.statistics import collect, save_patch_stats
    from mmmim.engine.disk import require_place

    require_place(args.out)

    pipeline, record = build_pipeline(args)
    config = dict(data_root=args.data, files=args.files, pipeline=pipeline, seed=args.seed)
    dataset = DATASETS.build(
        dict(type='mmmim.ImageFolder', broken='none', **config),
        default_args=dict(look_at=0, max_broken=1),
    )
    show_progress.start = show_progress.last = time.monotonic()
    sums = collect(dataset, args.patch_size, args.passes, args.workers, progress=show_progress)
    save_patch_stats(args.out, sums, record, dataset.paths.sha256(), dataset.skipped)
    print('\n'.join(summary(args, dataset, sums)))


if __name__ == '__main__':
    try:
        main()
    except ValueError as error:
        sys.exit(f'target_stats: {error}')
