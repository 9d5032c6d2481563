"""The whole main job against tools that do nothing but write what the real ones write."""

import json
import textwrap
from pathlib import Path

import pytest

from mmmim.jobs import scheduler
from mmmim.quickstart import options as options_module
from mmmim.quickstart.main import main
from mmmim.quickstart.recipes import PRETRAIN_CONFIG, TASKS

TRAIN = """
    import argparse, json, os, sys
    parser = argparse.ArgumentParser()
    parser.add_argument('config'); parser.add_argument('--work-dir'); parser.add_argument('--seed')
    parser.add_argument('--pretrained'); parser.add_argument('--resume', action='store_true')
    parser.add_argument('--cfg-options', nargs='*'); parser.add_argument('--launcher')
    args = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(root + '/calls.txt', 'a') as file:
        file.write(json.dumps(vars(args)) + '\\n')
    if os.path.exists(root + '/break'):
        sys.exit('the disk is on fire')
    logs = args.work_dir + '/20260101_000000/vis_data'
    os.makedirs(logs, exist_ok=True)
    with open(logs + '/scalars.json', 'w') as file:
        for step in (1, 2, 3):
            print(json.dumps(dict(step=step, loss=1 / step, lr=0.1, time=0.1)), file=file)
    open(args.work_dir + '/epoch_1.pth', 'w').close()
    with open(args.work_dir + '/last_checkpoint', 'w') as file:
        file.write(args.work_dir + '/epoch_1.pth')
    if 'robust' in args.config:
        open(args.work_dir + '/encoder.pth', 'w').close()
    else:
        lr = float(args.cfg_options[0].split('=')[1])
        value = (0.3 if args.pretrained else 0.2) + 0.01 * int(args.seed) + lr
        keys = ('accuracy/top1', 'away/top1', 'coco/segm_mAP', 'coco/segm_mAP_50',
                'coco/bbox_mAP', 'mIoU', 'aAcc')
        metrics = dict(test={key: value for key in keys})
        if 'custom_hooks.0.loops=[test]' not in args.cfg_options:
            metrics['val'] = {key: -lr for key in keys}
        with open(args.work_dir + '/final_metrics.json', 'w') as file:
            json.dump(metrics, file)
"""
TORCHRUN = """
    import os, sys
    assert sys.argv[1] == '2' and os.environ['OMP_NUM_THREADS'] == '1'
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
SHRINK = """
    import os, sys
    out = sys.argv[sys.argv.index('--out') + 1]
    os.makedirs(out)
    open(out + '/arguments', 'w').write(' '.join(sys.argv[1:]))
"""
DRAW = """
    import sys
    sys.path.insert(0, {tests!r})
    from fakes import fake_grid
    fake_grid(['a', 'b'], 16, 2).save(sys.argv[sys.argv.index('--out') + 1])
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A checkout whose tools and configs are the smallest that the main job accepts."""
    folder = tmp_path / 'checkout'

    def write(path, text):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(textwrap.dedent(text))

    write('tools/train.py', TRAIN)
    write('tools/torchrun.py', TORCHRUN)
    write('tools/dataset_converters/make_scenes.py', '')
    write('tools/dataset_converters/shrink_images.py', SHRINK)
    for name in ('reconstruct', 'predictions'):
        write(f'tools/analysis/{name}.py', DRAW.format(tests=str(Path(__file__).parent)))
    for config in (PRETRAIN_CONFIG, *(task.config for task in TASKS)):
        write(config, 'train_dataloader = dict(batch_size=64, dataset=dict(data_root="scenes"))\n'
                      'train_cfg = dict(max_epochs=10)\n')  # fmt: skip
    monkeypatch.chdir(folder)
    monkeypatch.setattr(options_module, 'check_ops', lambda: None)
    monkeypatch.setattr(scheduler, 'POLL_SECONDS', 0.02)
    return folder


def calls(root):
    return [json.loads(line) for line in (root / 'calls.txt').read_text().splitlines()]


def test_quick_run_ends_with_table_results_and_report(root, capsys):
    assert main(root, []) == 0
    out = capsys.readouterr().out
    assert 'Classification' in out and 'Total:' in out
    results = json.loads((root / 'work_dirs/quickstart/results.json').read_text())
    # What the stand-in for tools/train.py reports, see above.
    value = round(100 * (0.3 + TASKS[1].lrs['pretrained']), 4)
    assert results['detection']['pretrained'] == dict(mean=value, se=None, seeds=[value])
    assert results['segmentation']['metric'] == 'mIoU (%)'
    assert '<h1>' in (root / 'work_dirs/quickstart/report.html').read_text()
    made = calls(root)
    assert len(made) == 7 and made[0]['resume']
    assert made[0]['launcher'] == 'pytorch'  # one process per core, the batch divided
    assert made[0]['cfg_options'] == ['train_dataloader.batch_size=32']
    pairs = [(Path(call['config']).name, bool(call['pretrained'])) for call in made[1:]]
    assert sorted(pairs) == sorted((Path(t.config).name, p) for t in TASKS for p in (True, False))


def test_second_run_trains_nothing_but_prints_the_table(root, capsys):
    assert main(root, []) == 0
    count = len(calls(root))
    capsys.readouterr()
    assert main(root, []) == 0
    assert len(calls(root)) == count and 'Classification' in capsys.readouterr().out


def test_full_run_has_a_pretraining_per_seed_and_chooses_on_tune(root):
    assert main(root, ['--full']) == 0
    made = calls(root)
    pretrainings = [call for call in made if 'robust' in call['config']]
    assert sorted(call['seed'] for call in pretrainings) == ['0', '1', '2']
    assert len(made) == 3 + sum(2 * (len(task.grid) + 2) for task in TASKS)
    for call in made:
        if call['pretrained']:
            assert f'pretrain-s{call["seed"]}/' in call['pretrained']
    details = json.loads((root / 'work_dirs/quickstart/details.json').read_text())
    for task in TASKS:  # tune prefers the smallest rate, val the largest
        assert details['tasks'][task.key]['lrs']['scratch'] == min(task.grid)
    results = json.loads((root / 'work_dirs/quickstart/results.json').read_text())
    assert results['segmentation']['scratch']['se'] > 0


def test_failed_stage_says_what_happened_and_how_to_resume(root, capsys):
    (root / 'break').touch()
    assert main(root, []) != 0
    err = capsys.readouterr().err
    assert 'the disk is on fire' in err and 'pretrain-s0.log' in err
    assert 'To resume:   bash tools/quickstart.sh' in err
    (root / 'break').unlink()
    assert main(root, []) == 0


def test_report_alone_trains_nothing_whatever_changed(root, capsys):
    assert main(root, ['--report']) == 2
    assert 'trainings are not done, pretrain-s0 among them' in capsys.readouterr().err
    assert main(root, []) == 0
    count = len(calls(root))
    config = root / TASKS[0].config
    config.write_text(config.read_text() + 'optim_wrapper = dict(lr=1)\n')
    (root / 'work_dirs/quickstart/report.html').unlink()
    assert main(root, ['--report']) == 0
    assert len(calls(root)) == count and (root / 'work_dirs/quickstart/report.html').is_file()


def test_changed_config_trains_again(root):
    assert main(root, []) == 0
    count = len(calls(root))
    config = root / TASKS[0].config
    config.write_text(config.read_text() + 'optim_wrapper = dict(lr=1)\n')
    assert main(root, []) == 0
    assert len(calls(root)) == count + 2


def test_own_images_are_shrunk_and_pretrained_on(root, tmp_path):
    photos = tmp_path / 'photos' / 'a'
    photos.mkdir(parents=True)
    for index in range(4):
        (photos / f'{index}.PNG').write_bytes(b'not decoded here')
    assert main(root, ['--data', str(photos.parent)]) == 0
    options = calls(root)[0]['cfg_options']
    images = 'work_dirs/quickstart/quick/images'
    assert f'train_dataloader.dataset.data_root={images}' in options
    assert 'train_dataloader.dataset.files=list.txt' in options
    words = (root / images / 'arguments').read_text().split()
    assert words[0] == str(photos.parent) and words[words.index('--entries') + 1] == '10000'
    assert '4 of your images' in (root / 'work_dirs/quickstart/report.html').read_text()


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--data', 'nowhere'], '--data nowhere does not exist'),
        (['--data', 'tools/train.py'], 'is not a folder'),
        (['--data', 'empty'], 'holds no file'),
        (['--data', 'configs'], 'but no image'),
        (['--full', '--seeds', '2'], 'at least 3 seeds'),
        (['--seeds', '4'], 'belongs to --full'),
        (['--threads', '0'], '--threads must be at least 1'),
    ],
)
def test_bad_input_ends_in_one_sentence_before_the_first_step(root, capsys, arguments, message):
    (root / 'empty').mkdir()
    assert main(root, arguments) == 2
    err = capsys.readouterr().err.strip()
    assert message in err and '\n' not in err
    assert not (root / 'calls.txt').exists()


def test_full_disk_is_noticed_before_the_first_step(root, capsys, monkeypatch):
    monkeypatch.setattr(options_module, 'DISK_QUICK', 1e6)
    assert main(root, []) == 2
    assert 'GiB free' in capsys.readouterr().err


def test_two_runs_in_one_place_are_refused(root, capsys):
    import fcntl

    folder = root / 'work_dirs/quickstart'
    folder.mkdir(parents=True)
    with open(folder / '.lock', 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert main(root, []) == 2
    assert 'Another quickstart is running' in capsys.readouterr().err
