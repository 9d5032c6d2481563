"""What does a pre-training cost? Seconds per step and memory, measured, as hours of the recipe.

    python tools/benchmarks/cost.py configs/mae/mae_vit-base-p16_8xb512-amp-coslr-1600e_in1k.py \\
        configs/cae/cae_vit-base-p16_32xb64-amp-coslr-1600e_in1k.py \\
        configs/beit/beit_vit-base-p16_16xb128-amp-coslr-800e_in1k.py --batch-size 64 --epochs 1600

Table 10 of CAE: ViT-B, 1600 epochs, 32 GPUs, an effective batch of 2048. Every config has a process
of its own, which trains on drawn images with the optimizer and precision of the config. Hours are
seconds per step x steps of an epoch x epochs: reading images and talking between GPUs are not in.
A tokenizer whose file is missing gets random weights, which cost the same.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(ROOT))

IMAGENET = 1_281_167


def make_parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('configs', nargs='+', help='of pre-trainings')
    add('--batch-size', type=int, default=64, help='images per GPU and step (default: 64)')
    add('--gpus', type=int, default=32, help='of the recipe (default: 32)')
    add('--epochs', type=int, help='of the recipe (default: as each config says)')
    add('--images', type=int, default=IMAGENET, help='of an epoch (default: those of ImageNet)')
    add('--steps', type=int, default=20, help='that are timed (default: 20)')
    add('--warm-up', type=int, default=5, help='steps before (default: 5)')
    add('--device', help='default: the GPU if there is one')
    add('--threads', type=int, help='on a CPU (default: as torch chooses)')
    add('--out', help='folder for cost.json and cost.md')
    add('--worker', action='store_true', help=argparse.SUPPRESS)
    return parser


def main(argv=None):
    args = make_parser().parse_args(argv)
    if min(args.batch_size, args.gpus, args.images, args.steps) < 1:
        sys.exit('error: --batch-size, --gpus, --images and --steps must be positive.')
    if args.worker:
        return work(args)
    rows = [measure_apart(config, args, argv) for config in args.configs]
    text = table(rows, args)
    print(text)
    if args.out:
        from mmmim.jobs.job import write_atomic

        write_atomic(Path(args.out) / 'cost.md', text + '\n')
        write_atomic(Path(args.out) / 'cost.json', json.dumps(rows, indent=1) + '\n')


def measure_apart(config, args, argv) -> dict:
    """One config in a process of its own, so that memory and caches are its own."""
    words = [word for word in (argv or sys.argv[1:]) if word not in args.configs]
    command = [sys.executable, '-W', 'ignore', __file__, config, *words, '--worker']
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or 'no message').splitlines()[-1]
        sys.exit(last if last.startswith('error:') else f'error: {config}: {last}')
    return json.loads(done.stdout.strip().splitlines()[-1])


def work(args):
    from mmmim.analysis.command import pick_device, told
    from mmmim.analysis.cost import measure

    (config,) = args.configs
    row = told(lambda: measure(config, args.batch_size, args.steps, args.warm_up,
                               pick_device(args.device), args.threads))  # fmt: skip
    print(json.dumps(row))


def table(rows, args) -> str:
    from mmmim.analysis.cost import hours

    lines = [
        '| config | epochs | s / step | images / s and GPU | hours | memory per GPU |',
        '|---|---|---|---|---|---|',
    ]
    for row in rows:
        row['epochs'] = args.epochs or row['epochs']
        row['hours'] = hours(row['seconds'], row['epochs'], args.images, args.gpus, args.batch_size)
        lines.append(
            f'| {row["config"]} | {row["epochs"]} | {row["seconds"]:.4f} ± {row["se"]:.4f} '
            f'| {args.batch_size / row["seconds"]:.0f} | {row["hours"]:.1f} '
            f'| {row["memory_mib"]:.0f} MiB |'
        )
    total = args.gpus * args.batch_size
    how = (
        f'Measured on {rows[0]["device"]}, {rows[0]["clock"]}, {args.batch_size} images per step, '
        f'{args.steps} steps. '
        f'Hours: {args.images} images per epoch on {args.gpus} such devices (effective batch '
        f'{total}), without reading images and without talking between devices.'
    )
    return '\n'.join([*lines, '', how])


if __name__ == '__main__':
    main()
