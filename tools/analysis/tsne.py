r"""Do patches of one class lie together? t-SNE of patch features, coloured by segmentation class.

    python tools/analysis/tsne.py work_dirs/MY_RUN --images data/scenes/val/images \
        --labels data/scenes/val/labels
    python tools/analysis/tsne.py CHECKPOINT --images data/ade/images/validation \
        --labels data/ade/annotations/validation --ignore 0

Figure 6 of CAE (arXiv:2202.03026): patches of 500 images, at most 1000 per class, each with the
class of more than half of its pixels; a model with random weights beside. Needs scikit-learn.
"""

import sys
from pathlib import Path

# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(Path(__file__).resolve().parents[2]))


def make_parser():
    from mmmim.analysis import command

    parser = command.models_on_images(__doc__, count=500)
    add = parser.add_argument
    add('--labels', required=True, help='folder of label maps, named as the images')
    add('--classes', nargs='+', metavar='NAME', help='names of classes 0, 1, ... for the legend')
    add('--ignore', type=int, nargs='*', default=[255], help='values without class (default: 255)')
    add('--per-class', type=int, default=1000, help='patches at most (default: 1000)')
    add('--points', type=int, default=3000, help='patches in all at most (default: 3000)')
    add('--block', type=int, default=-1, help='1 is the first, -1 the last (default: -1)')
    add('--no-random', action='store_true', help='leave out the model with random weights')
    return parser


def main(argv=None):
    from mmmim.analysis import command

    parser = make_parser()
    args = parser.parse_args(argv)
    sources = command.parse_models(parser, args.models)
    print(f't-SNE in {command.told(run, args, sources, argv)}')


def run(args, sources, argv):
    from mmmim.analysis import command
    from mmmim.analysis.encoders import open_model, random_encoder
    from mmmim.analysis.patch_classes import class_names, same_class_neighbours, tsne

    models = [(source.name, *open_model(args, source)) for source in sources]
    if not args.no_random:
        _, model, _, cfg = models[0]
        models.append(('random weights', model, random_encoder(cfg, args), cfg))
    planes, shares, labels = {}, {}, None
    for name, model, backbone, _ in models:
        features, labels, owners = patches_of(args, model, backbone)
        shares[name], chance = same_class_neighbours(features, labels, owners)
        print(
            f'{name}: {shares[name]:.0%} of the 10 nearest patches of other images have the same '
            f'class, {chance:.0%} by chance; {len(labels)} patches'
        )
        planes[name] = tsne(features, args.seed), labels.numpy()
    names = class_names(args.classes, args.labels)
    record, figure = report(args, planes, shares, chance, names)
    record.command = command.command_line(argv)
    return record.save(command.out_folder(args.out, sources), [figure])


def patches_of(args, model, backbone):
    """Features (M, D), classes (M,) and images (M,) of the patches that are shown."""
    import torch

    from mmmim.analysis.batches import pick
    from mmmim.analysis.blocks import image_channels, resolve_block
    from mmmim.analysis.encoders import crop_size
    from mmmim.analysis.patch_classes import (
        choose_patches,
        label_grid,
        pair_label_maps,
        patch_features,
        read_images,
    )
    from mmmim.analysis.sources import normalise

    size = crop_size(args, backbone)
    pairs = pair_label_maps(args.images, args.labels)
    pairs = [pairs[index] for index in pick(len(pairs), args.count)]
    patch = getattr(backbone, 'patch_size', 1)
    pixels, maps = read_images(pairs, size, image_channels(backbone), patch)
    block = resolve_block(backbone, args.block)
    features, grid = patch_features(backbone, normalise(model, pixels), block)
    labels = torch.stack([label_grid(path, size, grid, args.ignore) for path in maps]).flatten()
    owners = torch.arange(len(maps)).repeat_interleave(grid[0] * grid[1])
    chosen = choose_patches(labels, args.per_class, args.points, args.seed)
    return features.flatten(0, 1)[chosen], labels[chosen], owners[chosen]


def report(args, planes, shares, chance, names):
    from mmmim.analysis.record import Record
    from mmmim.visualization.scatter import class_planes

    count = len(next(iter(planes.values()))[1])
    numbers = ', '.join(f'{name} {share:.0%}' for name, share in shares.items())
    caption = (
        f'A dot is one of {count} patches, its colour the class of more than half of its pixels; '
        'near dots have like features, the axes have no unit. Share of the 10 nearest patches of '
        f'other images, by the features themselves, with the same class: {numbers}; by chance '
        f'{chance:.0%}.'
    )
    title = 't-SNE of patch features'
    figure = class_planes(title, caption, planes, names)
    data = dict(same_class=shares, chance=chance, classes=names, per_class=args.per_class)
    data['planes'] = {
        name: dict(points=plane.round(2).tolist(), labels=labels.tolist())
        for name, (plane, labels) in planes.items()
    }
    return Record('tsne', title, caption, data=data), figure


if __name__ == '__main__':
    main()
