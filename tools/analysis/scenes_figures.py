"""Figures of the papers that need trainings of their own, on the embedded scenes; minutes each.

    python tools/analysis/scenes_figures.py psnr         # occlusion-invariant Table 1: PSNR column
    python tools/analysis/scenes_figures.py regressor    # CAE Fig. 3: decoded without the regressor

Trains the demo models that the figure compares, one after the other, and draws it with psnr.py or
reconstruct.py. Called again it continues what was interrupted and repeats nothing that is done.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(ROOT))
SCENES = Path('data/scenes')
CONFIG = 'configs/demo/{}_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'


class Training(NamedTuple):
    """One model of a figure: its name there, demo config, changes of it, the paper's number."""

    name: str
    demo: str
    options: tuple[str, ...] = ()
    paper: str = ''


# Pixels that are normalised per patch could be drawn only with the help of the true ones.
DRAWABLE = ('model.target.per_patch=False',)
# dB: occlusion-invariant paper, Table 1, rows of its own implementation, ViT-B, 100 epochs.
FIGURES = dict(
    psnr=(
        Training('MAE', 'mae', paper='22.2'),
        Training('R-MAE', 'r-mae', paper='23.7'),
        Training(
            'R-MAE, T2 independent',
            'r-mae',
            ('model.second=independent', 'model.second_mask_ratio=0.25'),
            '23.0',
        ),
        Training('R-MAE, T2 identity', 'r-mae', ('model.second=identity',), '22.9'),
    ),
    regressor=(
        Training('aligned', 'cae-rgb', DRAWABLE),
        Training('not aligned', 'cae-rgb', (*DRAWABLE, 'model.align_weight=0')),
    ),
)


def make_parser():
    from mmmim.analysis import command

    parser = command.analysis_parser(__doc__)
    add = parser.add_argument
    add('figure', choices=FIGURES)
    add('--epochs', type=command.positive, default=5, help='of 10,000 scenes each (default: 5)')
    add('--seed', type=int, default=0, help='of the trainings (default: 0)')
    add('--out', default='work_dirs/scenes_figures', help='folder (default: %(default)s)')
    return parser


def main(argv=None):
    from mmmim.analysis import command

    command.told(run, make_parser().parse_args(argv))


def run(args):
    from mmmim.jobs.scenes import split_sizes

    if split_sizes(SCENES) is None:
        raise ValueError(
            f'{SCENES} is not there: call python tools/dataset_converters/make_scenes.py first.'
        )
    trainings = FIGURES[args.figure]
    places = {training.name: train(training, args) for training in trainings}
    models = [f'{name}={place}' for name, place in places.items()]
    out = Path(args.out) / args.figure
    images = ('--images', SCENES / 'val/images', '--out', out)
    if args.figure == 'regressor':
        return call('analysis/reconstruct.py', *models, '--skip-regressor', '--count', 4, *images)
    call('analysis/psnr.py', *models, *images)
    text = beside_the_paper(trainings, json.loads((out / 'psnr.json').read_text()), args.epochs)
    (out / 'psnr.md').write_text(text, encoding='utf-8')
    print(text, end='')


def train(training, args) -> Path:
    """Work directory of a finished training."""
    words = '-'.join(training.name.lower().replace(',', '').split())
    place = Path(args.out) / f'{words}-{args.epochs}e-s{args.seed}'
    changes = ('--cfg-options', *training.options) if training.options else ()
    print(f'{training.name}: {place}', flush=True)
    settings = ('--work-dir', place, '--epochs', args.epochs, '--seed', args.seed, '--resume')
    call('train.py', ROOT / CONFIG.format(training.demo), *settings, *changes)
    return place


def call(tool, *words):
    """Run another tool; it prints what it has to say.

    Raises:
        ValueError: If it fails.
    """
    command = [sys.executable, '-W', 'ignore', ROOT / 'tools' / tool, *words]
    if subprocess.run(list(map(str, command))).returncode:
        raise ValueError(f'tools/{tool} failed, see above; the same command continues.')


def beside_the_paper(trainings, record, epochs) -> str:
    """Markdown: what was measured, and the paper's numbers of another model and other images."""
    rows = {row['name']: row for row in record['data']['rows']}
    lines = [
        f'| method | PSNR on the scenes (dB), epochs: {epochs} | the paper: ViT-B, ImageNet |',
        '|---|---|---|',
    ]
    for training in trainings:
        row = rows[training.name]
        found = f'{row["mean"]:.2f} ± {row["se"]:.2f}'
        lines.append(f'| {training.name} | {found} | {training.paper} |')
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    main()
