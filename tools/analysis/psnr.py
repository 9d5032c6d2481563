"""Mean PSNR of what a pre-trained model reconstructs, over a folder of images.

    python tools/analysis/psnr.py CONFIG CHECKPOINT --images data/imagenet/val

Table 1 of the occlusion-invariant paper: prediction from the masked image against the image, pixels
in [0, 1], per image, then averaged. Central crops, masks of a fixed seed.
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
    parser.add_argument('--region', default='masked', help='masked, all or composite')
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--num-workers', type=int, default=4)
    parser.add_argument('--seed', type=int, default=0, help='of the masks (default: 0)')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_args(argv)
    import torch

    from mmmim.analysis.psnr import mean_psnr
    from mmmim.analysis.reconstruction import load_model, load_pipeline, still_pipeline
    from mmmim.datasets import ImageFolder, collate_views

    try:
        model = load_model(args.config, args.checkpoint)
        images = ImageFolder(args.images, pipeline=still_pipeline(load_pipeline(args.config)))
        loader = torch.utils.data.DataLoader(
            images, args.batch_size, num_workers=args.num_workers, collate_fn=collate_views
        )
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
        value, count = mean_psnr(model.to(device), loader, args.region, args.seed)
    except (ValueError, OSError) as error:
        sys.exit(f'error: {error}')
    print(f'PSNR {value:.2f} dB over {count} images ({args.region} patches)')


if __name__ == '__main__':
    main()
