"""Mean PSNR of what pre-trained models reconstruct, over a folder of images.

    python tools/analysis/psnr.py work_dirs/MY_RUN --images data/scenes/val/images
    python tools/analysis/psnr.py MAE=CONFIG CHECKPOINT R-MAE=CONFIG CHECKPOINT --images DIR

The PSNR column of Table 1 of the occlusion-invariant paper: prediction from the masked image
against the image, pixels in [0, 1], per image, then averaged. Central crops, masks of a fixed seed.
"""

import sys
from pathlib import Path

# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(Path(__file__).resolve().parents[2]))


def make_parser():
    from mmmim.analysis import command
    from mmmim.analysis.psnr import REGIONS

    parser = command.models_on_images(__doc__, count=10**9)
    add = parser.add_argument
    add('--region', default='masked', choices=REGIONS, help='default: masked patches')
    add('--batch-size', type=int, default=64, help='default: 64')
    add('--num-workers', type=int, default=4, help='processes that read images (default: 4)')
    return parser


def main(argv=None):
    from mmmim.analysis import command

    parser = make_parser()
    args = parser.parse_args(argv)
    sources = command.parse_models(parser, args.models)
    command.told(run, args, sources, argv)


def run(args, sources, argv):
    from mmmim.analysis import command
    from mmmim.analysis.psnr import dot_chart
    from mmmim.analysis.record import Record

    rows = []
    for source in sources:
        row = dict(name=source.name, **measure(args, source))
        rows.append(row)
        print(
            f'{row["name"]}: PSNR {row["mean"]:.2f} dB over {row["count"]} images '
            f'({args.region} patches; standard error {row["se"]:.2f})'
        )
    record = Record(
        tool='psnr',
        title='PSNR of reconstructions',
        caption=(
            f'Mean over {rows[0]["count"]} images with its standard error, {args.region} patches, '
            'pixels in [0, 1]; the same masks for every model.'
        ),
        data=dict(region=args.region, rows=rows),
        command=command.command_line(argv),
    )
    figure = dot_chart(record.title, record.caption, rows)
    print(f'Figure in {record.save(command.out_folder(args.out, sources), [figure])}')


def measure(args, source) -> dict:
    """Mean, standard error and number of images of one model."""
    from mmmim.analysis import command, reconstruction
    from mmmim.analysis.batches import sound_batches, still_dataset
    from mmmim.analysis.psnr import summarise_psnr
    from mmmim.analysis.sources import load_model

    size = command.size_of(args.size)
    given = (source.config, source.checkpoint, args.cfg_options, args.seed)
    model, cfg = load_model(*given, whole=True)
    reconstruction.require_pixels(model)
    reconstruction.set_input_size(model, size)
    images = still_dataset(cfg, args.images, size, args.seed, model.backbone.patch_size)
    batches = sound_batches(images, args.count, args.batch_size, args.num_workers)
    model = model.to(command.pick_device(args.device))
    return summarise_psnr(model, batches, args.region, args.seed)


if __name__ == '__main__':
    main()
