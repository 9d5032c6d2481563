"""A checkout whose tools only write what the real ones write, and a stand-in for Slurm."""

import json
import stat
import textwrap

import torch

from mmmim.protocols.recipes import PROTOCOLS

TRAIN = """
    import argparse, json, os, sys
    parser = argparse.ArgumentParser()
    parser.add_argument('config'); parser.add_argument('--work-dir'); parser.add_argument('--seed')
    parser.add_argument('--pretrained'); parser.add_argument('--resume', action='store_true')
    parser.add_argument('--launcher'); parser.add_argument('--cfg-options', nargs='*', default=[])
    args = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(root + '/calls.txt', 'a') as file:
        file.write(json.dumps(vars(args)) + '\\n')
    name = os.path.basename(args.work_dir)
    if os.path.exists(root + '/break-' + name.split('-')[0]):
        sys.exit('the disk is on fire')
    os.makedirs(args.work_dir, exist_ok=True)
    lr = [word.split('=')[1] for word in args.cfg_options if word.startswith('optim_wrapper')]
    lr = float(lr[0]) if lr else 0.0
    value = (60 if args.pretrained else 40) + int(args.seed)
    keys = ('accuracy/top1', 'away/top1', 'coco/segm_mAP', 'coco/bbox_mAP', 'coco/segm_mAP_50',
            'mIoU', 'aAcc')
    if os.path.basename(args.config) == 'user.py':
        logs = args.work_dir + '/20260101_000000/vis_data'
        os.makedirs(logs, exist_ok=True)
        with open(logs + '/scalars.json', 'a') as file:
            for step in (1, 2):
                print(json.dumps({'accuracy/top1': value + step + 100 * lr, 'step': step}),
                      file=file)
        sys.exit()
    tune = {key: 10 - 1000 * lr for key in keys}
    with open(args.work_dir + '/final_metrics.json', 'w') as file:
        json.dump(dict(val=tune, test={key: value + 1000 * lr for key in keys}), file)
"""
FROZEN = """
    import json, os, sys
    words = sys.argv
    out, seed = words[words.index('--out') + 1], int(words[words.index('--seed') + 1])
    with open(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
              + '/calls.txt', 'a') as file:
        file.write(json.dumps(dict(frozen=words[1:])) + '\\n')
    value = (5 if words[2] == 'random' else 25) + seed
    result = {name: value for name in words[words.index('--protocols') + 1].split(',')}
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(out, 'w') as file:
        json.dump(dict(tune=result, val=result), file)
"""
CONFIG = """
    model = dict(
        type='mmpretrain.ImageClassifier',
        backbone=dict(type='mmmim.MaskedViT', arch=dict(embed_dims=8), img_size=64, patch_size=8),
    )
    train_dataloader = dict(batch_size=4, dataset=dict(data_root='data/scenes/'))
    optim_wrapper = dict(optimizer=dict(lr=0.5))
"""
# Slurm without time: sbatch notes the script, squeue lists what `run_queue` has not yet run.
SBATCH = """
    #!/usr/bin/env python3
    import json, os, sys
    queue = os.environ['FAKE_QUEUE']
    jobs = json.load(open(queue)) if os.path.exists(queue) else []
    jobs.append(dict(id=str(len(jobs) + 1), words=sys.argv[1:], state='waiting'))
    json.dump(jobs, open(queue, 'w'))
    print(len(jobs))
"""
SQUEUE = """
    #!/usr/bin/env python3
    import json, os
    for job in json.load(open(os.environ['FAKE_QUEUE'])):
        if job['state'] == 'waiting':
            print(job['id'])
"""
SCANCEL = """
    #!/usr/bin/env python3
    import json, os, sys
    jobs = json.load(open(os.environ['FAKE_QUEUE']))
    jobs[int(sys.argv[1]) - 1]['state'] = 'cancelled'
    json.dump(jobs, open(os.environ['FAKE_QUEUE'], 'w'))
"""
SLURM_TRAIN = """
    exec "$PYTHON" "$(dirname "$0")/train.py" "$@"
"""


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip())


def make_checkout(folder):
    """Tools, recipes, a user's config and a checkpoint ``run/encoder.pth``."""
    write(folder / 'tools/train.py', TRAIN)
    write(folder / 'tools/analysis/frozen_probe.py', FROZEN)
    write(folder / 'tools/slurm_train.sh', SLURM_TRAIN)
    write(folder / 'user.py', CONFIG)
    for protocol in PROTOCOLS.values():
        if protocol.scenes:
            write(folder / protocol.scenes.config, CONFIG)
    counts = dict(unlabeled=9, train=8, tune=5, val=10)
    manifest = dict(fingerprint='abc', settings=dict(counts=counts))
    write(folder / 'data/scenes/manifest.json', json.dumps(manifest))
    make_encoder(folder / 'run/encoder.pth')
    return folder


def make_encoder(path, fill=0.0, **backbone):
    """A file that says about itself what a real encoder file says."""
    known = dict(type='mmmim.MaskedViT', arch=dict(embed_dims=8), img_size=64, patch_size=8)
    meta = dict(format='mmmim.encoder', method='mae', backbone=dict(known, **backbone))
    state = {
        'patch_embed.projection.weight': torch.full((8, 3, 8, 8), fill),
        'layers.0.ln1.weight': torch.zeros(8),
        'layers.0.attn.qkv.weight': torch.zeros(24, 8),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict=state, meta=meta), path)


def make_slurm(folder):
    """Programs of the stand-in; returns the environment that finds them."""
    for name, text in (('sbatch', SBATCH), ('squeue', SQUEUE), ('scancel', SCANCEL)):
        write(folder / name, text)
        (folder / name).chmod((folder / name).stat().st_mode | stat.S_IEXEC)
    return folder / 'queue.json'


def calls(root):
    path = root / 'calls.txt'
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
