"""Check that ADE20K or COCO lies on disk as the recipes expect it; exit code 1 if not.

    python tools/dataset_converters/check_layout.py ade20k data/ade/ADEChallengeData2016
    python tools/dataset_converters/check_layout.py coco data/coco

Names what is missing, unreadable or out of range, with a remedy each. Nothing is changed.
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
    parser.add_argument('kind', choices=('ade20k', 'coco'))
    parser.add_argument('root', help='folder with images and annotations')
    parser.add_argument(
        '--any-count', action='store_true', help='a part of the release, or your own data'
    )
    parser.add_argument(
        '--no-labels', action='store_true', help='do not read the label maps (ADE20K)'
    )
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    from mmmim.datasets import layouts

    counts = dict.fromkeys(getattr(layouts, args.kind.upper())) if args.any_count else None
    if args.kind == 'ade20k':
        layout = layouts.check_ade20k(args.root, counts, labels=not args.no_labels)
    else:
        layout = layouts.check_coco(args.root, counts)
    print('\n'.join(layout.found))
    for problem in layout.problems:
        print(f'problem: {problem}', file=sys.stderr)
    if layout.problems:
        sys.exit(1)
    print('in order.')


if __name__ == '__main__':
    main()
