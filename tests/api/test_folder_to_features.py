"""A folder of mixed images: a command pre-trains, a line gives features, a command exports."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.mixed_images import BROKEN, make_mixed_images

import mmmim
from mmmim.api import extraction
from mmmim.export import command

ROOT = Path(__file__).parents[2]
STILL = {
    'optim_wrapper.optimizer.lr': 0.0,
    'optim_wrapper.optimizer.weight_decay': 0.0,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'train_dataloader.prefetch_factor': None,
    'default_hooks.checkpoint.interval': 1,
}


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    return make_mixed_images(tmp_path_factory.mktemp('images'))


@pytest.fixture(scope='module')
def work_dir(images, tmp_path_factory):
    """The one command, as people type it."""
    out = tmp_path_factory.mktemp('runs') / 'first'
    config = ROOT / 'configs/mae/mae_vit-base-p16_8xb128-amp-coslr-100e_in1k.py'
    words = ['--data', images, '--preset', 'tiny-32', '--epochs', '1', '--work-dir', out]
    options = [f'{name}={value}' for name, value in STILL.items() if 'lr' not in name]
    options += ['auto_scale_lr.base_batch_size=16', 'train_dataloader.batch_size=16']
    options += ['model.neck.num_layers=1']
    run = subprocess.run(
        [sys.executable, ROOT / 'tools/train.py', config, *words, '--cfg-options', *options],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert '50 images' in run.stdout + run.stderr
    return out


def test_features_in_one_line_and_in_one_command(work_dir, images, tmp_path):
    encoder = mmmim.load_encoder(work_dir)
    assert encoder.meta['method'] == 'mae' and encoder.img_size == (32, 32)
    picture = images / 'holiday/day 2/01.png'
    alone = encoder(encoder.transform(picture)[None])
    out = tmp_path / 'features.npy'
    words = [str(work_dir / 'encoder.pth'), str(images), '--out', str(out), '--workers', '0']
    assert extraction.main([*words, '--batch-size', '7', '--device', 'cpu']) == 0
    names = out.with_suffix('.txt').read_text().splitlines()
    table = np.load(out)
    assert table.shape == (49, encoder.embed_dims) and names == sorted(names)
    assert BROKEN not in names
    row = names.index('holiday/day 2/01.png')
    assert torch.allclose(torch.from_numpy(table[row]), alone[0], atol=1e-5)


def test_the_patch_grid_and_parquet(work_dir, images, tmp_path):
    parquet = pytest.importorskip('pyarrow.parquet')
    path = work_dir / 'encoder.pth'
    count, broken = extraction.extract(path, images, tmp_path / 'a.npy', 'patches', workers=0)
    assert count == 49 and list(broken) == [BROKEN]
    extraction.extract(path, images, tmp_path / 'a.parquet', 'patches', workers=0)
    table = parquet.read_table(tmp_path / 'a.parquet').to_pydict()
    grid = np.load(tmp_path / 'a.npy')
    assert grid.shape == (49, 192, 8, 8) and table['shape'][0] == [192, 8, 8]
    assert table['name'] == (tmp_path / 'a.txt').read_text().splitlines()
    assert np.array_equal(np.array(table['feature'], np.float32).reshape(grid.shape), grid)


def test_wrong_requests_end_in_a_sentence(work_dir, images, tmp_path, capsys):
    words = [str(work_dir / 'encoder.pth'), str(images), '--out']
    assert extraction.main([*words, str(tmp_path / 'a.csv')]) == 2
    assert 'must end in .npy or .parquet' in capsys.readouterr().err
    assert extraction.main([str(work_dir), str(tmp_path / 'nothing'), '--out', 'a.npy']) == 2
    assert 'nothing' in capsys.readouterr().err
    (tmp_path / 'file').write_text('')
    assert extraction.main([*words, str(tmp_path / 'file/a.npy')]) == 2
    assert 'no folder that can be written' in capsys.readouterr().err
    assert command.main([str(work_dir), '--to', 'timm', '--out', str(tmp_path / 'file')]) == 2
    assert 'no folder that can be written' in capsys.readouterr().err
    for option, value, told in [
        ('--size', '0', 'size must be a side'),
        ('--batch-size', '0', '--batch-size 0'),
        ('--device', 'gpu0', '--device gpu0 cannot be used'),
    ]:
        assert extraction.main([*words, str(tmp_path / 'a.npy'), option, value]) == 2
        assert told in capsys.readouterr().err
    with pytest.raises(ValueError, match='std must be above 0'):
        mmmim.load_encoder(work_dir, mean=[1, 2, 3], std=[1, 0, 1])
    with pytest.raises(FileNotFoundError, match='hf download facebook/vit-mae-base'):
        mmmim.load_encoder('facebook/vit-mae-base')
    with pytest.raises(ValueError, match='mean and std must have 3 values'):
        mmmim.load_encoder(work_dir, mean=[1.0, 2.0])
    with pytest.raises(ValueError, match='says its number of heads itself'):
        mmmim.load_encoder(work_dir, num_heads=5)


def test_one_command_exports(work_dir, capsys):
    pytest.importorskip('timm')
    metrics = work_dir / 'metrics.json'
    metrics.write_text(json.dumps({'k-NN top-1': 12.5}))
    words = [str(work_dir), '--to', 'timm', '--license', 'mit', '--metrics', str(metrics)]
    assert command.main(words) == 0
    assert 'largest difference' in capsys.readouterr().out
    card = (work_dir / 'export/timm/README.md').read_text()
    assert '| method | mae |' in card and 'license: mit' in card and '| k-NN top-1 | 12.5 |' in card
    assert str(work_dir) not in card


def test_a_run_goes_on_from_weights_of_any_layout(work_dir, images, tmp_path):
    """At a rate of zero, what was loaded is what is saved: nothing initialises it again."""
    source = next(work_dir.glob('epoch_1.pth'))
    (config,) = work_dir.glob('mae_*.py')
    result = mmmim.pretrain(
        config=config,
        data=images,
        out=tmp_path / 'on',
        preset='continue',
        init_from=source,
        seed=7,
        **STILL,
    )
    before = torch.load(source, weights_only=True)['state_dict']
    after = torch.load(next((tmp_path / 'on').glob('epoch_1.pth')), weights_only=True)
    names = [name for name in before if name.startswith(('backbone.', 'neck.'))]
    assert len(names) > 30
    assert all(torch.equal(before[name], after['state_dict'][name]) for name in names)
    assert Path(result.config).is_file() and result.load().meta['epoch'] == 1
    log = next((tmp_path / 'on').glob('*/*.log')).read_text()
    assert '(mmpretrain)' in log and 'beside the encoder: loaded' in log


def test_errors_are_raised_in_one_sentence(images, tmp_path):
    with pytest.raises(ValueError, match="no method 'mea': did you mean mae"):
        mmmim.pretrain('mea', images, tmp_path)
    with pytest.raises(ValueError, match="argument --epochs: invalid int value: 'x'"):
        mmmim.pretrain('mae', images, tmp_path, epochs='x')
    with pytest.raises(ValueError, match="amp is True or False, got 'yes'"):
        mmmim.pretrain('mae', images, tmp_path, amp='yes')
    with pytest.raises(ValueError, match='data is one path or pattern, got \\['):
        mmmim.pretrain('mae', ['a', 'b'], tmp_path)
    with pytest.raises(ValueError, match="out='' names no folder"):
        mmmim.pretrain('mae', images, '')
    with pytest.raises(ValueError, match="no model 'resnet50'"):
        mmmim.pretrain('mae', images, tmp_path, model='resnet50')
    with pytest.raises(ValueError, match='--init-from .*there is no such file'):
        mmmim.pretrain('mae', images, tmp_path, preset='tiny-32', init_from=tmp_path / 'none.pth')
    (tmp_path / 'file').write_text('{}')
    with pytest.raises(ValueError, match='--work-dir .*file/below: no folder .* is a file'):
        mmmim.pretrain('mae', images, tmp_path / 'file/below')
    with pytest.raises(ValueError, match='--init-from: .*file is no readable.*it is a JSON file'):
        mmmim.pretrain('mae', 'no such folder', tmp_path / 'out', init_from=tmp_path / 'file')


def test_weights_of_another_size_are_refused_before_images_are_looked_at(work_dir, tmp_path):
    with pytest.raises(ValueError, match='embed_dims 192 in the file, 384 in the model') as told:
        words = dict(preset='small-96', init_from=work_dir / 'encoder.pth')
        mmmim.pretrain('mae', 'no such folder', tmp_path / 'out', **words)
    assert '--model and --preset' in str(told.value) and not (tmp_path / 'out').exists()
