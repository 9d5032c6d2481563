#!/usr/bin/env python
"""Parameters, FLOPs and memory of models and pre-trainings: docs/models.md.

    python tools/misc/model_table.py                  # count what is not in the table yet
    python tools/misc/model_table.py --again mae cae  # count some anew
    python tools/misc/model_table.py --page           # write the page from what was counted

Nothing is timed and no GPU is needed: a step of each method is run on the CPU with two and three
drawn images, and what it computes and keeps is counted.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A clone works without installation, from any directory; an installed mmmim comes first.
sys.path.append(str(ROOT))

NUMBERS = ROOT / 'docs/results/model_table.json'
PAGE = ROOT / 'docs/models.md'
PRESETS = ('tiny-32', 'small-96', 'base-224')
METHODS = ('mae', 'robust-mae', 'robust-mae-mid8', 'simmim', 'beit', 'maskfeat', 'a2mim', 'ge2ae')
METHODS += ('cae', 'cae-rgb', 'splitmask', 'beyond-masking-zoomin', 'beyond-masking-blur-mask')
METHODS += ('r-mae', 'c-mae', 'mocov3', 'dino', 'ibot')
GPUS = (8, 24, 80)
GIB = 2**30
INTRO = """# Models: parameters, FLOPs, memory

Written by `python tools/misc/model_table.py`, which counts and times nothing. A FLOP is one
addition or multiplication; matrix products and convolutions are counted, forward. A training step
takes three times as many, less where parts are frozen.
"""
MODELS = """
## Encoders

All patches of an image of 224 px, as for features and fine-tuning. `mmmim.list_models()` gives
these names; `--model NAME` takes them.

| model | parameters (M) | GFLOPs per image | file in float32 (MB) |
|---|---:|---:|---:|
"""
STEPS = """
## Pre-training, by method and preset

`python tools/train.py CONFIG --preset PRESET`, in the precision of the config (bf16 where it is
mixed).

- **parameters**: trained / held (tokenizers, momentum encoders), in millions.
- **GFLOPs**: forward pass of everything, per image.
- **MB**: what the backward pass needs kept, per image, with the fused attention that GPUs have,
  counted by what autograd keeps. Drop edge (Robust MAE) is counted as on a CPU, where it keeps its
  attention; the kernel of CUDA does not.
- **fit**: images beside weights, gradients and AdamW's averages (16 bytes per trained parameter)
  in 85 % of 8, 24 and 80 GiB, by these numbers. Workspaces of kernels are not in them, and no GPU
  has measured them: start with half. `--memory` takes the rule of [presets](presets.md).

| method | preset | parameters | GFLOPs | MB | fit 8 / 24 / 80 |
|---|---|---:|---:|---:|---:|
"""


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--again', nargs='+', default=[], metavar='METHOD', help='count anew')
    parser.add_argument('--page', action='store_true', help='write the page alone')
    args = parser.parse_args(argv)
    found = json.loads(NUMBERS.read_text(encoding='utf-8')) if NUMBERS.is_file() else {}
    if not args.page:
        found['models'] = encoders()
        rows = found.setdefault('steps', {})
        for name in (f'{m} {p}' for m in METHODS for p in PRESETS):
            if name not in rows or name.split()[0] in args.again:
                rows[name] = step_row_apart(*name.split())
                print(name, rows[name], flush=True)
                write(NUMBERS, json.dumps(found, indent=1) + '\n')
        write(NUMBERS, json.dumps(found, indent=1) + '\n')
    write(PAGE, page(found))


def write(path, text):
    from mmmim.jobs.job import write_atomic

    write_atomic(path, text)


def encoders(names='*') -> dict:
    """Model -> parameters and FLOPs, without memory for weights."""
    import torch

    from mmmim.analysis.model_size import forward_flops, parameters
    from mmmim.api.catalogue import list_models
    from mmmim.registry import MODELS

    found = {}
    for name in list_models(names):
        _, arch, patch = name.split('-')
        settings = dict(type='mmmim.MaskedViT', arch=arch, img_size=224, patch_size=int(patch[1:]))
        with torch.device('meta'):
            model = MODELS.build(settings).eval()
            images = torch.empty(1, 3, 224, 224)
        flops = forward_flops(lambda model=model, images=images: model(images))
        found[name] = dict(parameters=sum(parameters(model)), flops=flops)
    return found


def preset_config(method, preset):
    """The method's config as ``--preset`` makes it."""
    from mmmim.api.catalogue import default_config
    from mmmim.engine.launch import load_config
    from mmmim.presets.apply import apply_presets

    cfg = load_config(default_config(method))
    apply_presets(cfg, [preset])
    return cfg


def step_row_apart(method, preset) -> dict:
    """In a process of its own: graphs without a backward pass keep their gigabytes."""
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.apply(step_row, (method, preset))


def step_row(method, preset) -> dict:
    """What is counted of one method in one size."""
    from mmmim.analysis.cost import drawn_batch, provide_tokenizers
    from mmmim.analysis.model_size import parameters, step_costs
    from mmmim.analysis.sources import build_model

    cfg = preset_config(method, preset)
    with tempfile.TemporaryDirectory() as folder:
        provide_tokenizers(cfg.model, Path(folder))
        model = build_model(cfg)
    trained, held = parameters(model)
    costs = step_costs(cfg, model, [drawn_batch(cfg, 2), drawn_batch(cfg, 3)])
    return dict(trained=trained, held=held, **costs)


def page(found) -> str:
    """The page, from the numbers alone."""
    lines = [INTRO + MODELS.rstrip('\n')]
    for name, row in found['models'].items():
        count = row['parameters']
        lines.append(
            f'| `{name}` | {count / 1e6:.1f} | {row["flops"] / 1e9:.1f} | {4 * count / 1e6:.0f} |'
        )
    lines.append(STEPS.rstrip('\n'))
    for name, row in found['steps'].items():
        method, preset = name.split()
        held = f' / {row["held"] / 1e6:.1f}' if row['held'] > 1e5 else ''
        lines.append(
            f'| `{method}` | `{preset}` | {row["trained"] / 1e6:.1f}{held} | '
            f'{row["flops"] / 1e9:.2f} | {row["stored"] / 1e6:.1f} | '
            f'{" / ".join(f"{fitting(row, gpu):,}" for gpu in GPUS)} |'
        )
    return '\n'.join(lines) + '\n'


def fitting(row, gibibytes) -> int:
    """Images that fit a GPU by the counted numbers."""
    from mmmim.analysis.model_size import HELD, STATE
    from mmmim.presets.memory import USABLE

    room = USABLE * gibibytes * GIB - STATE * row['trained'] - HELD * row['held']
    return max(0, int(room / row['stored']))


if __name__ == '__main__':
    main()
