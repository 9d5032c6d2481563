"""tools/transfer.py against tools that do nothing but write what the real ones write."""

import csv
import json
from pathlib import Path

import pytest
from mmengine.config import Config
from transfer_checkout import calls, make_checkout, make_encoder

from mmmim.jobs import scheduler
from mmmim.protocols.main import main
from mmmim.protocols.recipes import PROTOCOLS

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINT = 'run/encoder.pth'
RUN = 'work_dirs/transfer/run-encoder'


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(scheduler, 'POLL_SECONDS', 0.01)


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = make_checkout(tmp_path / 'checkout')
    monkeypatch.chdir(folder)
    return folder


def rows(root, run=RUN):
    with open(root / run / 'table.csv', newline='') as file:
        return {(row['task'], row['metric']): row for row in csv.DictReader(file)}


def test_every_protocol_ends_in_one_table(root):
    assert main(root, [CHECKPOINT, '--baseline', '--seeds', '2']) == 0
    found = rows(root)
    assert {task for task, _ in found} == set(PROTOCOLS)
    lr = PROTOCOLS['ft'].scenes.lrs['pretrained']
    row = found['ft', 'top-1 accuracy (%)']
    assert float(row['result']) == pytest.approx(60.5 + 1000 * lr)
    assert float(row['scratch']) == pytest.approx(40.5 + 1000 * lr)
    assert row['seeds'] == '2' and float(row['se']) == pytest.approx(0.5)
    assert float(row['gain']) == pytest.approx(20) and row['above_twice_se'] == 'True'
    assert row['state'] == 'done' and 'ImageNet-1K' in row['deviation']
    assert float(found['knn', 'top-1 accuracy (%)']['result']) == 25
    assert float(found['knn', 'top-1 accuracy (%)']['scratch']) == 5.5  # random weights have seeds
    box = found['det', 'box mAP (%)']
    assert float(box['result']) == pytest.approx(100 * (60.5 + 1000 * float(box['lr'])))
    page = (root / RUN / 'table.md').read_text()
    assert page.count('| Fine-tuning |') == 1 and 'python tools/transfer.py run/enc' in page
    stored = json.loads((root / RUN / 'results.json').read_text())
    assert len(stored['tasks']) == len(found) and stored['checkpoint'] == CHECKPOINT


def test_recipes_on_the_scenes_are_there():
    """Their configs exist, and the metrics are chosen on tune, reported on val."""
    for protocol in PROTOCOLS.values():
        if protocol.scenes:
            cfg = Config.fromfile(ROOT / protocol.scenes.config)
            assert cfg.custom_hooks[-1].type == 'mmmim.FinalEvaluationHook'
            assert cfg.optim_wrapper.optimizer.lr


def test_jobs_are_given_the_checkpoint_and_one_job_serves_both_frozen_protocols(root):
    assert main(root, [CHECKPOINT, '--tasks', 'knn,ft,lin', '--baseline', '--threads', '1']) == 0
    trained = [call for call in calls(root) if 'frozen' not in call]
    assert [call['pretrained'] for call in trained] == [str(root / CHECKPOINT), None]
    assert all(call['resume'] for call in trained)
    frozen = [call['frozen'] for call in calls(root) if 'frozen' in call]
    assert [words[1] for words in frozen] == [str(root / CHECKPOINT), 'random']
    assert all(words[words.index('--protocols') + 1] == 'lin,knn' for words in frozen)
    twin = frozen[1][frozen[1].index('--backbone') + 1]
    assert "'img_size': 64" in open(twin).read()


def test_the_encoders_own_backbone_reaches_the_recipes(root):
    make_encoder(root / CHECKPOINT, type='mmmim.MaskedBEiT', rel_pos='shared')
    assert main(root, [CHECKPOINT, '--tasks', 'seg']) == 0
    (call,) = calls(root)
    assert 'model.backbone.type=mmmim.MaskedBEiT' in call['cfg_options']
    assert 'model.backbone.rel_pos=shared' in call['cfg_options']


def test_second_call_runs_nothing_and_another_checkpoint_everything(root):
    words = [CHECKPOINT, '--tasks', 'ft,det', '--baseline']
    assert main(root, words) == 0
    before = rows(root)
    assert main(root, words) == 0
    assert len(calls(root)) == 4 and rows(root) == before
    make_encoder(root / CHECKPOINT, rel_pos='none', with_cls_token=False)
    assert main(root, words) == 0
    # What starts from random weights does not depend on the file, but for the backbone's keywords.
    assert len(calls(root)) == 8
    make_encoder(root / CHECKPOINT, fill=1.0, rel_pos='none', with_cls_token=False)  # other weights
    assert main(root, words) == 0
    assert [call['pretrained'] is None for call in calls(root)[8:]] == [False, False]


def test_kill_half_way_and_continue(root, capsys, monkeypatch):
    finish = scheduler.Scheduler._finish

    def interrupt(self, item, usage):
        marker = finish(self, item, usage)
        if item.job.name.startswith('att'):
            raise KeyboardInterrupt
        return marker

    words = [CHECKPOINT, '--threads', '1']
    with monkeypatch.context() as patch:
        patch.setattr(scheduler.Scheduler, '_finish', interrupt)
        assert main(root, words) == 130
    assert 'to resume:\n  python tools/transfer.py run/encoder.pth' in capsys.readouterr().err
    half = rows(root)
    assert half['ft', 'top-1 accuracy (%)']['state'] == 'done'
    assert half['seg', 'mIoU (%)']['state'] == '1 jobs missing'
    count = len(calls(root))
    assert main(root, words) == 0
    assert {row['state'] for row in rows(root).values()} == {'done'}
    names = [call['work_dir'] for call in calls(root)[count:] if 'frozen' not in call]
    assert [name.rsplit('/', 1)[1][:3] for name in names] == ['det', 'seg']


def test_a_failure_stops_only_itself_and_is_tried_again(root, capsys):
    (root / 'break-det').touch()
    words = [CHECKPOINT, '--tasks', 'det,seg']
    assert main(root, words) == 1
    assert 'the disk is on fire' in capsys.readouterr().out
    assert rows(root)['det', 'mask mAP (%)']['state'].startswith('failed: det-pretrained')
    assert rows(root)['seg', 'mIoU (%)']['state'] == 'done'
    assert '| failed |' in (root / RUN / 'table.md').read_text()
    assert main(root, [*words, '--report']) == 1 and len(calls(root)) == 2
    (root / 'break-det').unlink()
    assert main(root, words) == 0
    assert rows(root)['det', 'mask mAP (%)']['state'] == 'done'


def test_rates_are_chosen_on_the_tune_split(root):
    assert main(root, [CHECKPOINT, '--tasks', 'ft', '--grid', '--seeds', '2', '--baseline']) == 0
    grid = PROTOCOLS['ft'].scenes.grid
    row = rows(root)['ft', 'top-1 accuracy (%)']
    # The smaller rate is the better one on tune, the larger one on val.
    assert float(row['lr']) == min(grid) and row['chosen_on'] == 'tune'
    assert [float(lr) for lr in row['lr_tried'].split()] == list(grid)
    assert float(row['result']) == pytest.approx(60.5 + 1000 * min(grid))
    assert len(calls(root)) == 2 * (len(grid) + 1)


def test_a_users_config_is_taken_as_it_is(root):
    words = [CHECKPOINT, '--tasks', 'ft,lin', '--configs', 'ft=user.py', 'lin=user.py']
    words += ['--cfg-options', 'model.a=1', 'ft:model.b=2', '--lr', 'ft=0.01,0.02']
    assert main(root, words) == 0
    found = rows(root)
    row = found['ft', 'top-1 accuracy (%)']
    assert float(row['result']) == pytest.approx(62 + 2) and float(row['lr']) == 0.02
    assert row['chosen_on'] == 'the reported split'
    assert row['deviation'].startswith('your own config; changed: model.a=1 model.b=2 lr of 0.01')
    assert found['lin', 'top-1 accuracy (%)']['lr'] == ''  # that of the config
    given = {call['work_dir'].rsplit('/', 1)[1]: call['cfg_options'] for call in calls(root)}
    assert given['lin-pretrained-lr-of-config-s0'] == ['model.a=1']
    assert given['ft-pretrained-lr0.01-s0'] == [
        'optim_wrapper.optimizer.lr=0.01', 'model.a=1', 'model.b=2'
    ]  # fmt: skip
    assert len(found) == 2  # `away` is a list of the scenes


def test_torchrun_starts_one_training_after_the_other(root):
    plan_words = [CHECKPOINT, '--tasks', 'ft', '--gpus', '4', '--report']
    assert main(root, plan_words) == 0
    from mmmim.protocols.main import parse_args
    from mmmim.protocols.plan import Plan

    options = parse_args(root, plan_words)
    (job,) = Plan(options).graph({}).values()
    assert job.command[1:3] == (str(root / 'tools/torchrun.py'), '4')
    assert job.command[-1] != '--launcher' and 'pytorch' in job.command and options.slots == 1


def test_report_trains_nothing_and_trusts_what_is_there(root, capsys):
    words = [CHECKPOINT, '--tasks', 'ft']
    assert main(root, [*words, '--report']) == 0 and calls(root) == []
    assert rows(root)['ft', 'top-1 accuracy (%)']['state'] == '1 jobs missing'
    assert main(root, words) == 0
    config = root / PROTOCOLS['ft'].scenes.config
    config.write_text(config.read_text() + 'x = 1\n')
    assert main(root, [*words, '--report']) == 0 and len(calls(root)) == 1
    assert 'Made before something changed: ft-pretrained' in capsys.readouterr().out


@pytest.mark.parametrize(
    'words, message',
    [
        (['none.pth'], 'none.pth does not exist'),
        ([CHECKPOINT, '--tasks', 'fly'], '--tasks must be of ft,lin,att,knn,det,seg, got fly'),
        ([CHECKPOINT, '--configs', 'user.py'], 'write it as TASK=VALUE'),
        ([CHECKPOINT, '--tasks', 'ft', '--configs', 'det=user.py'], 'det is not among --tasks'),
        ([CHECKPOINT, '--configs', 'ft=gone.py'], 'ft=gone.py: there is no such file'),
        ([CHECKPOINT, '--lr', 'ft=-1'], 'positive numbers'),
        ([CHECKPOINT, '--lr', 'lin=0.1'], 'no learning rate on the scenes'),
        ([CHECKPOINT, '--cfg-options', 'fly:a=1'], 'TASK:KEY=VALUE'),
        ([CHECKPOINT, '--gpus', '2', '--slurm', '-p x'], '--gpus is for torchrun'),
        ([CHECKPOINT, '--seeds', '0'], '--seeds must be at least 1'),
        (['user.py'], 'user.py is no readable checkpoint'),
    ],
)
def test_bad_input_ends_in_one_sentence(root, capsys, words, message):
    assert main(root, words) == 2
    err = capsys.readouterr().err.strip()
    assert message in err and '\n' not in err and calls(root) == []


def test_an_encoder_of_another_size_is_refused_with_the_remedy(root, capsys):
    make_encoder(root / CHECKPOINT, arch='base', img_size=224, patch_size=16)
    assert main(root, [CHECKPOINT, '--tasks', 'ft']) == 2
    assert 'arch base is not that of the transfer configs' in capsys.readouterr().err
    assert main(root, [CHECKPOINT, '--tasks', 'ft', '--configs', 'ft=user.py']) == 0
