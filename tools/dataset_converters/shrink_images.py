"""Copy a folder of images with the shorter side reduced, as JPEG, for fast short pre-trainings.

    python tools/dataset_converters/shrink_images.py DIR --out SMALL --short-side 96

Searched recursively. A second call returns at once, an interrupted one is completed; images that
cannot be read are named and left out.
"""

import argparse
import sys
from pathlib import Path

# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(Path(__file__).resolve().parents[2]))


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', help='folder, glob or list file')
    parser.add_argument('--out', required=True, help='folder for the copies')
    parser.add_argument('--short-side', type=int, default=96, help='pixels (default: 96)')
    parser.add_argument('--limit', type=int, help='copy at most that many, spread evenly')
    parser.add_argument('--entries', type=int, default=0, help='lines of list.txt at least')
    parser.add_argument('--threads', type=int, default=2, help='default: 2')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    from mmmim.datasets.shrink import shrink_folder

    def report(done, total):
        print(f'images: {done} / {total}', file=sys.stderr, flush=True)

    try:
        made = shrink_folder(
            args.data, args.out, args.short_side, args.limit, args.entries, args.threads, report
        )
    except (ValueError, OSError) as error:
        sys.exit(f'error: {error}')
    for path, reason in made.broken.items():
        print(f"warning: left out '{path}': {reason}")
    print(f'{made.count} images in {args.out}')


if __name__ == '__main__':
    main()
