"""The whole table against tools that do nothing but write what the real ones write."""

import json
import textwrap

import pytest

from mmmim.jobs import scheduler
from mmmim.living_table import methods
from mmmim.living_table.main import main
from mmmim.living_table.methods import Method
from mmmim.quickstart.recipes import TASKS

TRAIN = """
    import argparse, json, os, sys
    parser = argparse.ArgumentParser()
    parser.add_argument('config'); parser.add_argument('--work-dir'); parser.add_argument('--seed')
    parser.add_argument('--pretrained'); parser.add_argument('--resume', action='store_true')
    parser.add_argument('--cfg-options', nargs='*', default=[])
    args = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(root + '/calls.txt', 'a') as file:
        file.write(json.dumps(vars(args)) + '\\n')
    name = os.path.basename(args.config).split('_')[0]
    if os.path.exists(root + '/break-' + name):
        sys.exit('the disk is on fire')
    logs = args.work_dir + '/20260101_000000/vis_data'
    os.makedirs(logs, exist_ok=True)
    with open(logs + '/scalars.json', 'w') as file:
        for step in (1, 2, 3):
            print(json.dumps(dict(step=step, loss=1 / step, lr=0.1, time=0.1)), file=file)
    if 'pretrain-' in args.work_dir or 'dvae' in args.work_dir:
        for file in ('epoch_1.pth', 'encoder.pth', 'tokenizer.pth'):
            open(args.work_dir + '/' + file, 'w').close()
    else:
        lr = float(args.cfg_options[0].split('=')[1])
        # The worse of the two mixtures on tune is the better one on val.
        tune = dict(scratch=0, mae=20, a=50, b=40)
        val = dict(scratch=10, mae=30, a=60, b=90)
        row = next(row for row in tune if '-' + row + '-lr' in args.work_dir)
        metrics = dict(test={'accuracy/top1': val[row] + int(args.seed) + 1000 * lr})
        if 'custom_hooks.0.loops=[test]' not in args.cfg_options:
            metrics['val'] = {'accuracy/top1': tune[row] - 1000 * lr}
        with open(args.work_dir + '/final_metrics.json', 'w') as file:
            json.dump(metrics, file)
"""
FROZEN = """
    import json, os, sys
    out = sys.argv[sys.argv.index('--out') + 1]
    seed = int(sys.argv[sys.argv.index('--seed') + 1])
    random = sys.argv[2] == 'random'
    assert random or os.path.exists(sys.argv[2])
    value = (5 if random else 25) + seed
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(out, 'w') as file:
        json.dump(dict(tune=dict(knn=value, lin=value), val=dict(knn=value, lin=value + 1)), file)
"""
CONFIG = """
    default_scope = 'mmpretrain'
    model = dict(
        type='mmmim.X', tokens='work_dirs/dvae_demo/tokenizer.pth',
        backbone=dict(type='V', arch='a', img_size=64, patch_size=8),
    )
    train_dataloader = dict(
        batch_size=4, drop_last=True,
        dataset=dict(type='mmmim.ImageFolder', data_root='data/scenes/unlabeled'),
    )
    param_scheduler = [dict(type='LinearLR', begin=0, end=2)]
    train_cfg = dict(max_epochs=10)
"""
ROWS = (
    methods.SCRATCH_ROW,
    Method('mae', 'MAE', 'mae', 'papers', 'MAE', headline=True, needs=('dvae',)),
    Method('gone', 'Not yet written', 'gone', 'baselines', 'X'),
    Method('a', 'Mixture A', 'mae', 'mixtures', '', options=('model.backbone.extra=1',)),
    Method('b', 'Mixture B', 'mae', 'mixtures', '', images=2),
)

ARGUMENTS = ['--images', '16', '--batch', '4', '--seeds', '2']
RUN = 'work_dirs/living_table/16-images-batch-4'


def make_checkout(folder):
    """A checkout whose tools and configs are the smallest that the table accepts."""

    def write(path, text):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(textwrap.dedent(text))

    write('tools/train.py', TRAIN)
    write('tools/analysis/frozen_probe.py', FROZEN)
    for name in ('mae', 'dvae'):
        write(f'configs/demo/{name}_vit-demo_1xb4_scenes-64px.py', CONFIG)
    for task in TASKS:
        write(task.config, CONFIG)
    counts = dict(unlabeled=9, train=8, tune=5, val=10)
    manifest = dict(fingerprint='abc', settings=dict(counts=counts))
    write('data/scenes/manifest.json', json.dumps(manifest))
    for index in range(9):
        write(f'data/scenes/unlabeled/00/{index}.jpg', '')
    return folder


@pytest.fixture(autouse=True)
def small_table(monkeypatch):
    monkeypatch.setattr(scheduler, 'POLL_SECONDS', 0.01)
    monkeypatch.setattr(methods, 'METHODS', ROWS)


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = make_checkout(tmp_path / 'checkout')
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope='module')
def finished_checkout(tmp_path_factory):
    """The whole table, run once."""
    folder = make_checkout(tmp_path_factory.mktemp('table') / 'checkout')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(scheduler, 'POLL_SECONDS', 0.01)
        patch.setattr(methods, 'METHODS', ROWS)
        assert main(folder, ARGUMENTS) == 0
    return folder


@pytest.fixture
def finished(finished_checkout, monkeypatch):
    monkeypatch.chdir(finished_checkout)
    return finished_checkout


def calls(root):
    return [json.loads(line) for line in (root / 'calls.txt').read_text().splitlines()]


def table(root):
    return json.loads((root / 'docs/results/living_table.json').read_text())


def test_whole_table(finished):
    made = calls(finished)
    pretrained = [
        call for call in made if '--pretrain' not in call and '/pretrain-' in call['work_dir']
    ]
    names = [call['work_dir'].rsplit('/', 1)[1] for call in pretrained]
    # Every mixture has the first seed; the one that tune prefers has them all.
    assert names == ['pretrain-mae-s0', 'pretrain-mae-s1', 'pretrain-a-s0', 'pretrain-b-s0',
                     'pretrain-a-s1']  # fmt: skip
    assert sum(call['work_dir'].endswith('/dvae') for call in made) == 1
    options = pretrained[0]['cfg_options']
    assert 'train_cfg.max_epochs=2' in options and 'param_scheduler.0.end=0.505' in options
    assert f'model.tokens={finished}/{RUN}/dvae/tokenizer.pth' in options
    found = table(finished)
    rows = found['rows']
    # The smaller rate is the better one on tune: 1000 * 5e-4 on top of val; the larger on val.
    assert rows['mae']['val']['ft']['seeds'] == [30.5, 31.5]
    assert rows['mae']['rates'] == dict(ft=TASKS[0].grid[0])
    assert rows['scratch']['val']['lin']['seeds'] == [6, 7] and rows['scratch']['cost'] is None
    assert rows['mae']['val']['det'] is None
    assert rows['mae']['cost']['images'] == 16 and rows['mae']['cost']['relative'] == 1.0
    assert rows['mae']['cost']['speed'] == pytest.approx(40)
    assert rows['gone']['problem'].startswith('no configs gone_')
    assert found['mixture_search']['chosen'] == 'a'
    assert found['mixture_search']['verdict'] == 'missing'  # `gone` may still beat it
    assert rows['b']['val']['ft']['se'] is None


def test_page_shows_what_is_missing_and_what_is_not(finished):
    page = (finished / 'docs/results.md').read_text()
    (line,) = [line for line in page.splitlines() if line.startswith('| MAE (`mae`)')]
    cells = [cell.strip() for cell in line.split('|')[1:-1]]
    assert cells[3:8] == ['25.5 ± 0.5', '26.5 ± 0.5', '31.0 ± 0.5', 'missing', 'missing']
    assert cells[8] == '1.00' and cells[11] == '2'
    (line,) = [line for line in page.splitlines() if line.startswith('| Not yet written')]
    assert line.count('missing') == 9
    assert '`gone`: no configs gone_' in page and '- `mae`' not in page
    assert '- `b`' not in page  # one seed is all that a mixture gets that was not chosen
    assert (finished / 'docs/images/living_table.png').stat().st_size > 5000


def test_few_images_are_drawn_per_seed(finished):
    (call,) = [call for call in calls(finished) if call['work_dir'].endswith('pretrain-b-s0')]
    words = [word for word in call['cfg_options'] if 'train_dataloader.dataset' in word]
    assert words == [
        'train_dataloader.dataset.num_images=2', 'train_dataloader.dataset.subset_seed=0'
    ]  # fmt: skip


def test_second_run_trains_nothing_and_more_seeds_keep_what_is_there(finished):
    count, before = len(calls(finished)), table(finished)['rows']
    assert main(finished, ARGUMENTS) == 0
    assert len(calls(finished)) == count and table(finished)['rows'] == before
    assert not list(finished.glob(f'{RUN}/pretrain-*/epoch_*.pth'))
    more = ['--images', '16', '--batch', '4', '--seeds', '3', '--methods', 'mae', '--tasks', 'knn']
    assert main(finished, more) == 0
    assert [call['seed'] for call in calls(finished)[count:]] == ['2']
    assert len(table(finished)['rows']['mae']['val']['knn']['seeds']) == 3


def test_render_only_trains_nothing_and_counts_what_is_out_of_date(finished):
    render = [*ARGUMENTS, '--render-only']
    assert main(finished, render) == 0
    count, rows = len(calls(finished)), table(finished)['rows']
    config = finished / 'configs/demo/mae_vit-demo_1xb4_scenes-64px.py'
    text = config.read_text()
    config.write_text(text + 'optim_wrapper = dict(lr=1)\n')
    assert main(finished, render) == 0
    config.write_text(text)
    assert table(finished)['rows'] == rows and len(calls(finished)) == count
    page = (finished / 'docs/results.md').read_text()
    assert 'results were made before their config changed' in page


def test_failure_stops_only_its_own_row_and_is_tried_again(root, capsys):
    arguments = [*ARGUMENTS, '--methods', 'mae,scratch', '--tasks', 'knn']
    (root / 'break-mae').touch()
    assert main(root, arguments) == 1
    assert 'the disk is on fire' in capsys.readouterr().out
    rows = table(root)['rows']
    assert rows['mae']['failed'] == ['pretrain-mae-s0', 'pretrain-mae-s1']
    assert rows['scratch']['val']['knn']['seeds'] == [5, 6]
    page = (root / 'docs/results.md').read_text()
    assert '- `mae`: failed: pretrain-mae-s0, pretrain-mae-s1' in page
    (root / 'break-mae').unlink()
    assert main(root, arguments) == 0
    assert table(root)['rows']['mae']['failed'] == []


def test_interrupted_run_leaves_a_page_of_what_is_done(root, capsys, monkeypatch):
    finish = scheduler.Scheduler._finish

    def interrupt(self, item, usage):
        marker = finish(self, item, usage)
        if item.job.name == 'frozen-scratch-s1':
            raise KeyboardInterrupt
        return marker

    monkeypatch.setattr(scheduler.Scheduler, '_finish', interrupt)
    arguments = [*ARGUMENTS, '--methods', 'scratch', '--tasks', 'knn', '--threads', '1']
    assert main(root, arguments) == 130
    assert 'to resume:' in capsys.readouterr().err
    assert table(root)['rows']['scratch']['val']['knn']['seeds'] == [5]


def test_nothing_done_is_a_page_of_missing_numbers(root):
    assert main(root, ['--render-only']) == 0
    assert not (root / 'calls.txt').exists()
    assert table(root)['rows']['mae']['val']['ft'] is None
    assert not (root / 'docs/images').exists()


def test_another_work_dir_leaves_the_documentation_alone(root):
    assert (
        main(
            root, [*ARGUMENTS, '--work-dir', 'elsewhere', '--methods', 'scratch', '--tasks', 'knn']
        )
        == 0
    )
    assert (root / 'elsewhere/results.md').is_file() and not (root / 'docs').exists()


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--methods', 'may'], '--methods may is neither a row nor a group'),
        (['--tasks', 'ft,fly'], '--tasks must be of knn, lin, ft'),
        (['--seeds', '0'], '--seeds must be at least 1'),
        (['--images', '-1'], '--images must be at least 1'),
        (['--threads', '0'], '--threads must be at least 1'),
    ],
)
def test_bad_input_ends_in_one_sentence(root, capsys, arguments, message):
    assert main(root, arguments) == 2
    err = capsys.readouterr().err.strip()
    assert message in err and '\n' not in err
    assert not (root / 'calls.txt').exists()
