#!/usr/bin/env python
"""Mean and standard deviation of every channel over a set of images, to a file.

    python tools/misc/dataset_stats.py data/scenes/unlabeled --out work_dirs/scenes_stats.json

IMAGES: a folder, glob, list (.txt, .csv), COCO .json or tar shards; any number of channels, 8 or 16
bits. tools/train.py reads the result with --stats FILE.
"""

import argparse
import os
import sys
import time

# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('images', help='folder, glob, list file, COCO .json or tar shards')
    parser.add_argument('--data-root', help='folder that the paths of a list start from')
    parser.add_argument('--channels', type=int, help='read so many, instead of what they have')
    parser.add_argument('--bits', type=int, choices=[8, 16], help='likewise')
    parser.add_argument('--count', type=int, help='images, spread evenly; all by default')
    parser.add_argument('--out', help='.json file to write; without it only printed')
    parser.add_argument('--workers', type=int, default=min(8, os.cpu_count() or 1))
    return parser.parse_args(argv)


def show_progress(images):
    """A line every two seconds."""
    now = time.monotonic()
    if now - show_progress.last >= 2:
        print(f'{images} images', flush=True)
        show_progress.last = now


show_progress.last = time.monotonic()


def main(argv=None):
    args = parse_args(argv)
    if args.out and not args.out.endswith('.json'):
        raise ValueError(f"--out '{args.out}' must end in .json.")
    if args.count is not None and args.count < 1:
        raise ValueError(f'--count {args.count} must be positive.')
    from mmmim.datasets.channel_stats import channel_stats, save_stats
    from mmmim.datasets.sources import find_images
    from mmmim.datasets.survey import survey
    from mmmim.engine.disk import require_place

    if args.out:
        require_place(args.out)
    files = None if args.data_root is None else os.path.abspath(args.images)
    source = find_images(args.images if args.data_root is None else args.data_root, files)
    seen = survey(source)
    form = seen.choose(args.channels, args.bits)
    print('\n'.join(seen.lines()), flush=True)
    stats = channel_stats(source, form, args.count, args.workers, show_progress)
    print(f'read as    {form.channels} channels, {form.bits} bits; {stats.images} of {stats.of}')
    print(f'values     {stats.low} to {stats.high}')
    print('mean       ' + ' '.join(f'{value:.3f}' for value in stats.mean) + '  (0 to 255)')
    print('std        ' + ' '.join(f'{value:.3f}' for value in stats.std))
    if args.out:
        save_stats(args.out, stats, form, source.sha256())
        print(f'written to {args.out}')


if __name__ == '__main__':
    try:
        main()
    except ValueError as error:
        sys.exit(f'dataset_stats: {error}')
