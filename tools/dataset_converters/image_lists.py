"""Lists of labelled images, `class/name label` per line, for configs' ann_file.

    P=tools/dataset_converters/image_lists.py
    python $P names data/imagenet/train 10percent.txt --out data/imagenet/meta/train_10percent.txt
    python $P fraction data/imagenet/train --percent 1 --out data/imagenet/meta/train_1percent.txt
    python $P images data/imagenet/train --num-images 1000 --sampling one_per_class --out few.txt
    python $P classes data/imagenet/val --out in100_val.txt            (ImageNet-100)
    python $P check data/clipart data/clipart/meta/train.txt data/clipart/meta/val.txt

`names` turns file names, such as those of SimCLR for 1 % and 10 %, into labelled paths and checks
that each image is there; `fraction` draws such a list; `images` draws few images as
mmmim.ImageSubset does; `classes` lists some classes; `check` reads every image of two lists.
"""

import argparse
import sys
from pathlib import Path

# A clone works without installation, from any directory; an installed mmmim comes first.
ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)

    def command(name, **options):
        sub = commands.add_parser(name)
        sub.add_argument('root', help='folder of the class folders')
        for key, settings in options.items():
            sub.add_argument(key if key in ('names', 'train', 'val') else f'--{key}', **settings)
        if name != 'check':
            sub.add_argument('--out', required=True, help='list file to write')

    seed = dict(type=int, default=0, help='of the draw (default: 0)')
    command('names', names=dict(help='list of file names'))
    command('fraction', percent=dict(type=float, required=True, help='of each class'), seed=seed)
    sampling = dict(default='random', choices=('random', 'one_class', 'one_per_class'))
    number = {'num-images': dict(type=int, required=True)}
    command('images', **number, sampling=sampling, seed=seed)
    command('classes', classes=dict(help='file of folder names (default: ImageNet-100)'))
    classes = {'num-classes': dict(type=int, help='default: as many as the labels say')}
    command('check', train=dict(help='list file'), val=dict(help='list file'), **classes)
    return parser.parse_args(argv)


def imagenet100():
    from mmengine.config import Config

    import mmmim

    for folder in (ROOT, Path(mmmim.__file__).parent / '.mim'):
        path = folder / 'configs/_base_/datasets/imagenet100_classes.py'
        if path.is_file():
            return list(Config.fromfile(path).imagenet100)
    raise ValueError('the list of ImageNet-100 is not beside the toolkit: pass --classes FILE.')


def entries_of(args):
    from mmmim.datasets import labelled_lists as lists

    if args.command == 'names':
        return lists.list_of_names(args.root, Path(args.names).read_text().split())
    if args.command == 'fraction':
        return lists.draw_fraction(args.root, args.percent, args.seed)
    if args.command == 'images':
        return lists.draw_images(args.root, args.num_images, args.sampling, args.seed)
    names = Path(args.classes).read_text().split() if args.classes else imagenet100()
    return lists.list_classes(args.root, names)


def main(argv=None):
    args = parse_args(argv)
    from mmmim.datasets import labelled_lists as lists

    try:
        if args.command == 'check':
            found = lists.check_lists(args.root, args.train, args.val, args.num_classes)
            print(', '.join(f'{name} {count}' for name, count in found.items()))
            return
        entries = entries_of(args)
        lists.write_list(entries, args.out)
    except (ValueError, OSError) as error:
        sys.exit(f'error: {error}')
    classes = len({label for _, label in entries})
    print(f'{len(entries)} images of {classes} classes in {args.out}')


if __name__ == '__main__':
    main()
