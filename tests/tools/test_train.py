"""tools/train.py and test.py: one entry for every kind of model, and what they say when they
cannot run."""

import itertools
import json
import logging
import shutil
from glob import glob

import pytest
import torch
from mmengine.config import Config
from recipes import CLASSIFY, PRETRAIN, losses, make_images, records, run_tool, write_config

from mmmim.engine.launch import test as run_test
from mmmim.engine.launch import train as run_train

RUNS = itertools.count()


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return make_images(tmp_path_factory.mktemp('images'))


@pytest.fixture
def pretrain(data, tmp_path, request):
    # Loggers are shared by the name of the config and the second of the start.
    name = ''.join(c for c in request.node.name if c.isalnum())
    return write_config(tmp_path, PRETRAIN, f'mae_{name[:60]}', data)


def train(config, folder, *words):
    """Train in this process, under a name of its own (see above)."""
    name = f'experiment_name=run_{next(RUNS)}'
    words = [*words, *([] if '--cfg-options' in words else ['--cfg-options']), name]
    return run_train([config, '--work-dir', str(folder), *words])


def test_pretraining_from_start_to_encoder(pretrain, tmp_path, capsys):
    assert train(pretrain, tmp_path / 'w') == 0
    out = capsys.readouterr()
    assert '1 process x 8 x 2 = 16, lr 2.4e-3' in out.out + out.err
    found = records(tmp_path / 'w')
    assert [record['iter'] for record in found] == list(range(1, 9))
    assert found[-1]['epoch'] == 2 and found[0]['lr'] == pytest.approx(2.4e-6)
    file = torch.load(tmp_path / 'w/encoder.pth', weights_only=True)
    meta = file['meta']
    assert (meta['method'], meta['epoch'], meta['iter']) == ('mae', 2, 8)
    assert (meta['patch_size'], meta['img_size'], meta['in_channels']) == (8, 32, 3)
    assert meta['arch']['num_layers'] == 2 and meta['mean'][0] == pytest.approx(123.675)
    whole = torch.load(tmp_path / 'w/epoch_2.pth', weights_only=False)['state_dict']
    encoder = {k.removeprefix('backbone.'): v for k, v in whole.items() if 'backbone.' in k}
    assert encoder.keys() == file['state_dict'].keys()
    assert all(torch.equal(encoder[key], file['state_dict'][key]) for key in encoder)


def test_resume_ends_where_the_straight_run_ends(pretrain, tmp_path):
    assert train(pretrain, tmp_path / 'a') == 0
    # The same schedule, stopped after the first epoch: a copy of that state.
    (tmp_path / 'b').mkdir()
    shutil.copy(tmp_path / 'a/epoch_1.pth', tmp_path / 'b')
    (tmp_path / 'b/last_checkpoint').write_text(str(tmp_path / 'b/epoch_1.pth'))
    assert train(pretrain, tmp_path / 'b', '--resume') == 0
    assert losses(tmp_path / 'b') == losses(tmp_path / 'a')[4:]
    ends = [torch.load(tmp_path / x / 'epoch_2.pth', weights_only=False) for x in 'ab']
    for key, value in ends[0]['state_dict'].items():
        assert torch.equal(value, ends[1]['state_dict'][key]), key
    path = str(tmp_path / 'a/epoch_1.pth')
    assert train(pretrain, tmp_path / 'c', '--resume', path) == 0
    assert losses(tmp_path / 'c') == losses(tmp_path / 'b')


def test_seed_and_amp(pretrain, tmp_path):
    for name, words in dict(a=['3'], b=['3'], c=['4'], d=['3', '--amp']).items():
        assert train(pretrain, tmp_path / name, '--seed', *words) == 0
    first, same, other, amp = (losses(tmp_path / name) for name in 'abcd')
    assert first == same != other
    assert amp != first and amp == pytest.approx(first, abs=0.05)
    cfg = Config.fromfile(glob(f'{tmp_path}/d/*.py')[0])
    assert cfg.optim_wrapper.type == 'mmmim.AmpOptimWrapper'


def test_classifier_learns_starts_from_the_encoder_and_is_tested(data, pretrain, tmp_path, capsys):
    assert train(pretrain, tmp_path / 'w') == 0
    config = write_config(tmp_path, CLASSIFY, 'classify', data)
    encoder = str(tmp_path / 'w/encoder.pth')
    assert train(config, tmp_path / 'c', '--pretrained', encoder) == 0
    assert 'layer-wise lr decay 0.75' in capsys.readouterr().out
    accuracy = [r['accuracy/top1'] for r in records(tmp_path / 'c') if 'accuracy/top1' in r]
    assert accuracy[-1] > 90
    out = str(tmp_path / 'predictions.pkl')
    checkpoint = str(tmp_path / 'c/epoch_4.pth')
    words = [config, checkpoint, '--work-dir', str(tmp_path / 't'), '--out', out]
    assert run_test(words) == 0
    (result,) = glob(f'{tmp_path}/t/*/*.json')
    with open(result) as file:
        assert json.load(file)['accuracy/top1'] == pytest.approx(accuracy[-1])
    assert (tmp_path / 'predictions.pkl').stat().st_size > 0


@pytest.mark.parametrize(
    'words, said',
    [
        (['--cfg-options', 'train_dataloader.dataset.data_root=/nowhere'], "'/nowhere'"),
        (['--cfg-options', 'train_dataloader.dataset.data_root={empty}'], 'holds no'),
        (['--cfg-options', 'train_dataloader.dataset.pipeline.0.size=30'], '30x30'),
        (['--cfg-options', 'model.backbone.patchsize=7'], "did you mean 'patch_size'"),
        (['--cfg-options', 'model.backbone.type=mmmim.MaskedVit'], "'mmmim.MaskedViT'"),
        (['--cfg-options', 'optim_wraper.type=x'], "did you mean 'optim_wrapper'"),
        (['--cfg-options', 'optim_wrapper.optimizer.lr=fast'], 'literal lr'),
        (['--cfg-options', 'train_dataloader.batch_size=0'], 'batch_size is 0'),
        (['--cfg-options', 'auto_scale_lr.base_batch_size=4096'], '4096'),
        (['--pretrained', '/nowhere.pth'], "'/nowhere.pth'"),
        (['--pretrained', '{other}'], 'other.pth'),
        (['--resume', '{text}'], 'no readable checkpoint'),
        (['--keep-batch', '--cfg-options', 'train_dataloader.batch_size=7'], '--scale-lr'),
    ],
)
def test_bad_input_is_one_sentence(pretrain, tmp_path, capsys, words, said):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'x.txt').write_text('text')
    torch.save(dict(state_dict=dict(nothing=torch.zeros(3))), tmp_path / 'other.pth')
    places = dict(empty=tmp_path / 'empty', text=tmp_path / 'x.txt', other=tmp_path / 'other.pth')
    assert train(pretrain, tmp_path / 'w', *[word.format(**places) for word in words]) == 2
    error = capsys.readouterr().err
    message = error[error.index('error: ') :].strip()
    assert said in message and 'Traceback' not in error
    assert len(message.splitlines()) == 1, message
    assert not glob(f'{tmp_path}/w/*.pth')


def test_a_defect_keeps_its_traceback(pretrain, tmp_path, monkeypatch):
    """After the first step an error is no mistake of the user's."""
    from mmmim.engine.hooks import CheckpointHook

    def fail(self, runner):
        raise ValueError('a defect')

    monkeypatch.setattr(CheckpointHook, 'after_train_epoch', fail)
    with pytest.raises(ValueError, match='a defect'):
        train(pretrain, tmp_path / 'w')
    with pytest.raises(ValueError, match='nowhere'):
        words = ['--traceback', '--cfg-options', 'train_dataloader.dataset.data_root=/nowhere']
        train(pretrain, tmp_path / 'w', *words)


def test_ctrl_c_is_no_traceback(pretrain, tmp_path, monkeypatch, capsys):
    from mmmim.engine.runner import Runner

    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, 'train', interrupt)
    assert train(pretrain, tmp_path / 'w') == 130
    assert capsys.readouterr().err.strip().endswith('interrupted.')


def test_a_full_disk_is_refused(pretrain, tmp_path, monkeypatch, capsys):
    class Usage:
        free = 10_000

    monkeypatch.setattr('mmmim.engine.disk.shutil.disk_usage', lambda path: Usage)
    assert train(pretrain, tmp_path / 'w') == 2
    assert 'GiB free' in capsys.readouterr().err


def test_the_console_is_short(pretrain, tmp_path, capfd):
    logging.getLogger().handlers.clear()
    assert train(pretrain, tmp_path / 'w') == 0
    out, err = capfd.readouterr()
    assert 'System environment' not in out + err and 'Hooks will be' not in out + err
    assert len((out + err).splitlines()) < 40
    (log,) = glob(f'{tmp_path}/w/*/*.log')
    with open(log) as file:
        assert 'System environment' in file.read()


def test_from_another_directory(pretrain, tmp_path):
    done = run_tool('train.py', pretrain, '--local_rank=0', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert glob(f'{tmp_path}/work_dirs/mae_*/encoder.pth')
    done = run_tool('test.py', pretrain, 'x.pth', '--local-rank', '0', cwd=tmp_path)
    assert done.returncode == 2 and 'no test_cfg' in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
