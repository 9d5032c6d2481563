"""Draw what detectors or segmentors see, checkpoints of one config side by side with the truth.

    python tools/analysis/predictions.py CONFIG pretrained=A.pth scratch=B.pth --out OUT

OUT gets sheet.png and its tiles. Images come from the config's test split.
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
    parser.add_argument('config', help='of a detector with masks, or of a segmentor')
    parser.add_argument('checkpoints', nargs='+', metavar='NAME=FILE')
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument('--num', type=int, default=6, help='images to draw (default: 6)')
    args = parser.parse_args(argv)
    for entry in args.checkpoints:
        if '=' not in entry:
            parser.error(f'{entry!r} is not of the form NAME=FILE')
    args.checkpoints = dict(entry.split('=', 1) for entry in args.checkpoints)
    return args


def main(argv=None):
    args = parse_args(argv)
    from mmmim.analysis.predictions import prediction_grid

    try:
        sheet = prediction_grid(args.config, args.checkpoints, args.num).save(args.out)
    except (ValueError, OSError) as error:
        sys.exit(f'error: {error}')
    print(f'Predictions in {sheet}')


if __name__ == '__main__':
    main()
