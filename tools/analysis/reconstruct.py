"""Draw what a pre-trained model reconstructs, a row per image.

    python tools/analysis/reconstruct.py CONFIG CHECKPOINT --images DIR --out OUT

OUT gets sheet.png and its tiles: input, corrupted input, prediction, prediction pasted over the
input, target; for zooms also the whole prediction and target.
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
    parser.add_argument('config')
    parser.add_argument('checkpoint', help='whole checkpoint, with the decoder')
    parser.add_argument('--images', required=True, help='folder of images')
    parser.add_argument('--out', required=True, help='folder to write to')
    parser.add_argument('--num', type=int, default=8, help='images to draw (default: 8)')
    parser.add_argument('--note', default='', help='put before the caption')
    parser.add_argument('--seed', type=int, default=0, help='of the masks (default: 0)')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    from mmmim.analysis.reconstruction import (
        load_images,
        load_model,
        load_pipeline,
        reconstruct_images,
    )

    try:
        model = load_model(args.config, args.checkpoint)
        batch = load_images(args.images, args.num, load_pipeline(args.config), args.seed)
        sheet = reconstruct_images(model, batch, note=args.note).save(args.out)
    except (ValueError, OSError) as error:
        sys.exit(f'error: {error}')
    print(f'Reconstructions in {sheet}')


if __name__ == '__main__':
    main()
