"""Stage outputs as the tools write them, without the tools: for tests of table and page."""

import json
import math
from pathlib import Path

import numpy as np

from mmmim.jobs.job import Job
from mmmim.quickstart.options import Options
from mmmim.quickstart.recipes import SIDES, TASKS
from mmmim.quickstart.report import Story
from mmmim.quickstart.results import job_name, outcome
from mmmim.visualization.image_grid import ImageGrid


def fake_training(work_dir, steps=60, scale=1.0):
    folder = Path(work_dir) / '20260101_000000' / 'vis_data'
    folder.mkdir(parents=True)
    lines = [
        dict(
            step=10 * (step + 1),
            loss=scale * (0.3 + math.exp(-step / 15)),
            lr=1e-3 * (1 + math.cos(math.pi * step / steps)) / 2,
            time=0.08,
        )
        for step in range(steps)
    ]
    (folder / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)) + '\n')


def fake_grid(columns, size=64, rows=4, caption='A caption.'):
    rng = np.random.default_rng(0)
    pictures = [
        [rng.integers(0, 256, (size, size, 3), dtype=np.uint8) for _ in columns]
        for _ in range(rows)
    ]
    return ImageGrid(columns, pictures, caption)


def fake_story(root, full=False):
    n_seeds = 3 if full else 1
    options = Options(Path(root), Path(root) / 'work', full=full, n_seeds=n_seeds)
    markers, jobs = {}, {}

    def add(name, result, scale=1.0):
        work_dir = options.run_dir / name
        fake_training(work_dir, scale=scale)
        jobs[name] = Job(name, 'stage', ('python', name), work_dir=work_dir, batch_size=64)
        markers[name] = dict(name=name, result=result, seconds=61.0)

    for seed in options.seeds:
        add(f'pretrain-s{seed}', {})
        for task in TASKS:
            for side in SIDES:
                for lr in options.lrs(task, side):
                    value = 30 + seed + (9 if side == 'pretrained' else 0) - math.log10(lr)
                    keys = (task.metric_key, *task.others.values())
                    metrics = dict.fromkeys(keys, value / task.scale)
                    add(job_name(task, side, lr, seed), dict(val=metrics, tune=metrics))
    drawings = options.run_dir / 'drawings'
    fake_grid(['input', 'corrupted', 'prediction', 'pasted', 'target']).save(
        drawings / 'reconstruction'
    )
    for key in ('detection', 'segmentation'):
        fake_grid(['image', 'truth', 'pretrained', 'scratch'], 192).save(drawings / key)
    outcomes = [outcome(task, markers, options) for task in TASKS]
    return Story(options, outcomes, markers, jobs, 754.0, 'bash tools/quickstart.sh', '1 May 2026')
