"""Generate the embedded data set into a folder (layout: docs/scenes.md).

    python tools/dataset_converters/make_scenes.py --out data/scenes

The same settings give the same files, on any number of processes. A second call returns at once, an
interrupted one is completed.
"""
import argparse
import sys

from mmmim.datasets.scenes import Settings, Style, make_scenes


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', default='data/scenes', help='folder (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='seed (default: %(default)s)')
    parser.add_argument('--size', type=int, default=64, help='image side in pixels')
    for split, count in Settings().counts.items():
        parser.add_argument(f'--{split}', type=int, default=count, metavar='N',
                            help=f'scenes in the {split} split (default: {count})')
    parser.add_argument('--home-share', type=float, default=Style.home_share, metavar='P',
                        help='probability that an object wears the texture of its class; 0.125 '
                             'makes texture independent of class (default: %(default)s)')
    parser.add_argument('--quality', type=int, default=Settings.quality, help='JPEG quality')
    parser.add_argument('--processes', type=int, help='worker processes (default: all cores)')
    parser.add_argument('--overwrite', action='store_true',
                        help='replace scenes of other settings in the folder')
    return parser.parse_args(argv)


def progress_printer():
    """A line that rewrites itself on a terminal, a line for each tenth elsewhere."""
    shown = [-1]

    def show(done, total, seconds):
        text = f'scenes: {done} / {total}, {seconds:.0f} s'
        if sys.stderr.isatty():
            print(f'\r{text}', end='\n' if done == total else '', file=sys.stderr, flush=True)
        elif done * 10 // total > shown[0]:
            print(text, file=sys.stderr, flush=True)
        shown[0] = done * 10 // total

    return show


def main(argv=None):
    args = parse_args(argv)
    try:
        settings = Settings(
            seed=args.seed, size=args.size, quality=args.quality,
            style=Style(home_share=args.home_share),
            counts={split: getattr(args, split) for split in Settings().counts})
        made = make_scenes(args.out, settings, processes=args.processes, overwrite=args.overwrite,
                           report=progress_printer())
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f'make_scenes: {error}')
    print(f'{"Made" if made else "Found"} {sum(settings.counts.values())} scenes in {args.out}')


if __name__ == '__main__':
    main()
