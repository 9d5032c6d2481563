"""Speed and memory beside other toolkits, on this machine, in one run.

    python tools/benchmarks/run.py --quick                  # tiny models: does everything run?
    python tools/benchmarks/run.py --tiers T0 T1            # the CPU rows, see docs/performance.md
    python tools/benchmarks/run.py --rows 'mae-train-*' --rounds 7
    python tools/benchmarks/run.py --device cuda --mae-repo ../mae

Every contestant has a process of its own. They take turns in rounds whose order rotates; first it
is checked that equal weights and masks give the same loss. Results are added to
OUT/benchmarks_DEVICE.json, and OUT/benchmarks.md is written from it.
"""

import argparse
import dataclasses
import fnmatch
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.insert(0, str(HERE))
sys.path.append(str(HERE.parents[1]))

from suite import conductor, page, record  # noqa: E402
from suite.rows import TIERS, rows_for  # noqa: E402
from suite.settings import Setting  # noqa: E402

# rounds and steps per turn
PACE = dict(cpu=(5, 1), cuda=(7, 20))
WARM_UP = dict(cpu=2, cuda=10)


def parse_args(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--tiers', nargs='+', default=list(TIERS), choices=TIERS, metavar='T0..T4')
    parser.add_argument('--rows', nargs='+', help='names or patterns; --list shows them')
    parser.add_argument('--list', action='store_true', help='show the rows and end')
    parser.add_argument('--device', default='cpu', choices=('cpu', 'cuda'))
    parser.add_argument('--rounds', type=int, help='default: 5, on a GPU 7')
    parser.add_argument('--steps', type=int, help='per turn (default: 1, on a GPU 20)')
    parser.add_argument('--batch', type=int, default=8, help='images per step (default: 8)')
    parser.add_argument('--threads', type=int, default=1, help='of each process (default: 1)')
    parser.add_argument('--mae-repo', help='a clone of facebookresearch/mae')
    parser.add_argument('--images', help='JPEG files for T2, instead of drawn ones')
    parser.add_argument('--quick', action='store_true', help='tiny models; nothing is kept')
    parser.add_argument('--page', action='store_true', help='write the page anew and end')
    parser.add_argument('--out', default=str(HERE.parents[1] / 'docs' / 'results'))
    return parser.parse_args(argv)


def chosen_rows(args):
    """Rows asked for; ValueError if there is none."""
    rows = [row for row in rows_for(args.device) if row.tier in args.tiers]
    if args.rows:
        rows = [row for row in rows if any(fnmatch.fnmatch(row.name, p) for p in args.rows)]
    if not rows:
        raise ValueError(
            f'no row of {" ".join(args.tiers)} on {args.device} is named '
            f'{" ".join(args.rows or ["anything"])}: --list shows the names.'
        )
    return rows


def check_args(args):
    for name in ('rounds', 'steps', 'batch', 'threads'):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f'--{name} {value} must be at least 1.')
    if args.mae_repo and not (Path(args.mae_repo) / 'models_mae.py').exists():
        raise ValueError(f'--mae-repo {args.mae_repo} holds no models_mae.py: name a clone of it.')
    if args.images and not Path(args.images).is_dir():
        raise ValueError(f'--images {args.images} is no folder.')
    if args.device == 'cuda':
        import torch

        if not torch.cuda.is_available():
            raise ValueError('--device cuda: this machine has no GPU that torch can use.')


def measure(row, args, logs: Path) -> dict:
    """One row: check equal work, start the processes, let them take turns."""
    rounds = args.rounds or min(row.rounds or 99, PACE[args.device][0])
    steps = args.steps or row.steps or PACE[args.device][1]
    setting = Setting(
        arch='tiny' if args.quick else row.arch,
        batch=row.batch or args.batch,
        device=args.device,
        mae_repo=args.mae_repo and os.path.abspath(args.mae_repo),
        images=args.images and os.path.abspath(args.images),
    )
    contestants = [c for c in row.contestants if args.mae_repo or c.name != 'facebook']
    row = dataclasses.replace(row, contestants=tuple(contestants))
    names = [one.name for one in contestants[1:]]
    absent = conductor.refusals(row, setting, logs, args.threads, names)
    workers, missing = conductor.start(
        [one for one in contestants if one.name not in absent],
        lambda one: dataclasses.replace(setting, dtype=one.dtype),
        logs,
        row.name,
        args.threads,
    )
    task = dict(do='calibrate', setting=setting.to_dict(), threads=args.threads)
    try:
        rates = [conductor.ask(task, logs / 'calibrate.log')]
        warm_up = 1 if row.rounds else WARM_UP[args.device]  # rows of few rounds are long ones
        results = conductor.play(workers, rounds, steps, warm_up)
        rates.append(conductor.ask(task, logs / 'calibrate.log'))
    finally:
        for worker in workers.values():
            worker.stop()
    rates = record.fastest(rates)
    return dict(
        title=row.title,
        tier=row.tier,
        how=dict(batch=setting.batch, rounds=rounds, steps=steps, threads=args.threads),
        machine=record.machine(args.device),
        calibration=rates,
        contestants=record.summarize(row, results, {**absent, **missing}, rates),
    )


def show(result):
    """The row for the terminal, within 80 columns."""
    for name, one in result['contestants'].items():
        if 'note' in one:
            print(f'  {name:<14} {one["dtype"]}  {one["note"]}')
            continue
        middle, low, high = one['ratio']
        mfu = '' if one['mfu'] is None else f'  MFU {one["mfu"]:.0%}'
        goal = f'  {one["goal"][0]} {one["goal"][1]}: {one["verdict"]}' if one['goal'] else ''
        print(
            f'  {name:<14} {one["dtype"]}  x {middle:.2f} ({low:.2f}-{high:.2f})'
            f'{mfu}  {one["peak_mib"]:.0f} MiB{goal}'
        )
        if one['memory_goal']:
            print(f'  {"":<14} {page.memory(one)}')


def write(args, rows):
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    if rows:
        record.share_calibration(rows)
        record.save(out / f'benchmarks_{args.device}.json', rows)
    page.draw(out / f'benchmarks_{args.device}.png', rows)
    results = {d: record.load(out / f'benchmarks_{d}.json') for d in page.DEVICES}
    page.write_page(out / 'benchmarks.md', results)


def run(args):
    check_args(args)
    rows = chosen_rows(args)
    if args.list:
        for row in rows:
            print(f'{row.tier}  {row.name:<20} {row.title}')
        return
    if args.quick:
        args.out = tempfile.mkdtemp(prefix='benchmarks_')
    kept = record.load(Path(args.out) / f'benchmarks_{args.device}.json')
    logs = Path(tempfile.mkdtemp(prefix='benchmark_logs_'))
    for row in () if args.page else rows:
        print(f'{row.tier} {row.name}: {row.title}', flush=True)
        try:
            kept[row.name] = measure(row, args, logs)
        except conductor.WorkerError as error:
            print(f'  not measured: {error}', file=sys.stderr)
            continue
        write(args, kept)
        show(kept[row.name])
    write(args, kept)
    print(f'{args.out}/benchmarks.md')


def main(argv=None):
    args = parse_args(argv)
    try:
        run(args)
    except (ValueError, OSError) as error:
        sys.exit(f'{Path(sys.argv[0]).name}: {error}')


if __name__ == '__main__':
    main()
