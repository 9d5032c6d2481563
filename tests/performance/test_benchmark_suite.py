"""The harness itself: rotation, ratios, refusals, turns, and a page out of numbers."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).resolve().parents[2] / 'tools' / 'benchmarks'
sys.path.append(str(BENCHMARKS))
from suite import conductor, growth, mae, page, record, rows, steps  # noqa: E402
from suite.settings import Setting  # noqa: E402
from suite.statistics import ratio, rotated, verdict  # noqa: E402
from suite.turns import LastTurn, Turns  # noqa: E402
from suite.worker import find  # noqa: E402

TINY = Setting(arch='tiny', batch=2)
RATES = dict(fp32=100.0, bf16=1000.0, copy=10.0)


def test_everybody_has_every_place_once():
    names = list('abc')
    assert [''.join(rotated(names, k)) for k in range(4)] == ['abc', 'bca', 'cab', 'abc']
    assert rotated([], 1) == []


def test_ratios_are_taken_within_rounds():
    """A slow second round of both sides leaves the ratio alone; a ratio of sums would not."""
    assert ratio([2.0, 40.0, 6.0], [1.0, 10.0, 3.0]) == (2.0, 2.0, 4.0)
    with pytest.raises(ValueError, match='2 and 1 rounds'):
        ratio([1.0, 2.0], [1.0])


def test_verdicts():
    value = ratio([1.5, 1.5], [1.0, 1.0])
    assert verdict(value, ('at least', 1.5)) == 'met' == verdict(value, ('at most', 1.5))
    assert verdict(value, ('at least', 1.6)) == 'missed' == verdict(value, ('at most', 1.4))
    assert verdict(value, None) == ''


def test_one_calibration_for_a_machine():
    """The best rate counts: other work only slows one down, and makes an MFU too high."""

    def row(rate, hardware):
        one = dict(dtype='bf16', gflop_per_image=100.0, images_per_second=4.0, mfu=400.0 / rate)
        return dict(
            machine=dict(hardware=hardware), how=dict(threads=1), contestants=dict(a=one),
            calibration=dict(bf16=rate),
        )  # fmt: skip

    rows = dict(slowed=row(320.0, 'x'), free=row(800.0, 'x'), other=row(500.0, 'y'))
    rows['free']['contestants']['b'] = dict(dtype='bf16', note='not measured')
    record.share_calibration(rows)
    found = {name: one['contestants']['a']['mfu'] for name, one in rows.items()}
    assert found == dict(slowed=0.5, free=0.5, other=0.8)
    assert rows['slowed']['calibration'] == dict(bf16=800.0)


FAULTS = """
import resource
for step in range(4):
    held = bytearray(b'x') * (64 << 20)
    del held
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    print(faults)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='a policy of glibc')
def test_model_steps_share_one_memory_policy():
    """Freed memory is used again, whoever steps; loops of toolkits and dense rows differ."""
    for row in rows.rows_for('cpu'):
        policies = [conductor.memory_policy(one.maker) for one in row.contestants]
        assert all(bool(policy) is (row.tier in ('T0', 'T4')) for policy in policies), row.name

    def faults(policy):
        command = [sys.executable, '-c', FAULTS]
        done = subprocess.run(command, env=policy, capture_output=True, text=True, check=True)
        counts = [int(line) for line in done.stdout.split()]
        return counts[-1] - counts[0]

    assert faults({}) > 10 * faults(conductor.KEPT_MEMORY) + 10_000


class FakeWorker:
    """Takes as many seconds per image as it is told."""

    def __init__(self, seconds, log, name):
        self.seconds, self.log, self.name, self.before_mib = seconds, log, name, 10.0

    def turn(self, steps, count=False):
        self.log.append(self.name)
        images = 2 * steps
        flops = 6e9 if count else None
        took = dict(seconds=self.seconds * images, cpu_seconds=self.seconds * images)
        return dict(took, images=images, peak_mib=30.0, flops=flops)


def test_a_row_from_turns_to_numbers():
    log = []
    workers = {'mmmim': FakeWorker(0.1, log, 'a'), 'mmpretrain': FakeWorker(0.2, log, 'b')}
    results = conductor.play(workers, rounds=2, steps=3, warm_up=2, say=lambda line: None)
    assert ''.join(log) == 'aabb' + 'ab' + 'ba'
    row = next(r for r in rows.rows_for('cpu') if r.name == 'mae-train-bf16')
    absent = dict.fromkeys(('transformers', 'lightly', 'facebook'), 'refused: why')
    found = record.summarize(row, results, absent, RATES)
    assert found['mmpretrain']['ratio'] == pytest.approx((2, 2, 2))
    assert found['mmpretrain']['verdict'] == 'met'
    assert found['mmmim']['mfu'] == pytest.approx(3 * 10 / 1000)  # 3 GFLOP, 10 images/s, bf16
    assert found['lightly'] == dict(dtype='bf16', note='refused: why')


def test_unequal_work_is_refused(monkeypatch, tmp_path):
    found = dict(mmpretrain=2e-5, lightly=1e-6, transformers='KeyError: vit')
    monkeypatch.setattr(conductor, 'ask', lambda task, log: dict(differences=found))
    row = next(r for r in rows.rows_for('cpu') if r.name == 'mae-fp32')
    refused = conductor.refusals(row, TINY, tmp_path, 1, list(found))
    assert refused == {
        'mmpretrain': 'refused: its loss differs by 2.0e-05 (at most 1e-05)',
        'transformers': 'refused: KeyError: vit',
    }


def test_the_check_finds_a_peer_that_works_less(monkeypatch):
    """mmpretrain with its own loss over all cells instead of masked ones is not the same work."""
    equal = mae.differences(TINY, ['mmpretrain'])['mmpretrain']

    class Other(mae.MMPretrain):
        def loss(self, images, noise=None):
            self.model.head.loss_module.forward = lambda p, t, m: (p - t).square().mean()
            return super().loss(images, noise)

    monkeypatch.setitem(mae.PEERS, 'mmpretrain', Other)
    unequal = mae.differences(TINY, ['mmpretrain'])['mmpretrain']
    assert equal < conductor.DIFFERENCE < unequal


@pytest.mark.parametrize('maker', [steps.mae_mmmim, steps.r_mae])
def test_a_loop_takes_its_turns(maker):
    commands = [dict(steps=1, count=True), dict(steps=2), dict(stop=True)]
    answers = io.StringIO()
    with pytest.raises(LastTurn):
        maker(TINY)(Turns(io.StringIO('\n'.join(map(json.dumps, commands))), answers, 'cpu'))
    ready, counted, timed = map(json.loads, answers.getvalue().splitlines())
    assert ready['ready'] and ready['before_mib'] > 0
    assert (counted['images'], timed['images']) == (2, 4)
    assert counted['flops'] > 1e6 and timed['flops'] is None
    assert timed['seconds'] > 0 and timed['peak_mib'] >= ready['before_mib'] * 0.5


def test_counted_flops_are_those_of_the_formula():
    """A block of N tokens of width D multiplies 12 N D^2 + 2 N^2 D numbers; forward and backward
    are 3 times forward, and a product counts 2. MAE ViT-B: 58.7 GFLOP an image."""
    from torch.utils.flop_counter import FlopCounterMode

    from mmmim.models import tokens

    model = mae.build_ours(Setting(arch='base')).to('meta')
    mask = torch.zeros(1, 14, 14, dtype=torch.bool, device='meta')
    tokens.stamp(mask, 147)
    with FlopCounterMode(display=False) as counter:
        latent = model.backbone(torch.randn(1, 3, 224, 224, device='meta'), mask)
        model.neck(latent, mask).sum().backward()
    blocks = 12 * (12 * 50 * 768**2 + 2 * 50**2 * 768) + 8 * (12 * 197 * 512**2 + 2 * 197**2 * 512)
    ends = 49 * 768**2 + 50 * 768 * 512 + 147 * 512 * 768
    spared = 50 * (10 * 512**2 + 2 * 197 * 512)  # the last block, where nobody reads visible tokens
    images_need_no_gradient = 2 * 49 * 768**2
    expected = 6 * (blocks - spared + ends) - images_need_no_gradient
    assert counter.get_total_flops() == pytest.approx(expected, rel=0.01)
    whole = expected + 6 * spared
    assert whole / 1e9 == pytest.approx(58.7, rel=0.02)  # which counts all cells at both ends


def test_every_maker_and_check_exists():
    for device in ('cpu', 'cuda'):
        for row in rows.rows_for(device):
            assert row.check is None or callable(find(row.check))
            assert set(row.goals) <= {one.name for one in row.contestants[1:]}
            assert all(callable(find(one.maker)) for one in row.contestants)
    names = [row.name for row in rows.rows_for('cuda')]
    assert len(names) == len(set(names)) and {'mae-base-b512', 'mae-large-b1024'} <= set(names)


def test_the_page_says_what_is_not_measured(tmp_path):
    workers = {'mmmim': FakeWorker(0.1, [], ''), 'mmpretrain': FakeWorker(0.2, [], '')}
    results = conductor.play(workers, 2, 1, 1, say=lambda line: None)
    row = next(r for r in rows.rows_for('cpu') if r.name == 'cae-train-bf16')
    result = dict(
        how=dict(batch=8, rounds=2, steps=1, threads=1),
        machine=dict(hardware='a CPU', date='2026-01-01'),
        calibration=RATES,
        contestants=record.summarize(row, results, {}, RATES),
    )
    kept = {row.name: result}
    record.save(tmp_path / 'benchmarks_cpu.json', kept)
    assert record.load(tmp_path / 'benchmarks_cpu.json').keys() == kept.keys()
    page.draw(tmp_path / 'benchmarks_cpu.png', kept)
    page.write_page(tmp_path / 'benchmarks.md', dict(cpu=kept))
    text = (tmp_path / 'benchmarks.md').read_text()
    assert '| mmpretrain | bf16 | 5 | 2.00 (2.00 to 2.00) |' in text
    assert 'at least 1.5: met' in text and '![Ratios of all rows](benchmarks_cpu.png)' in text
    assert '(`mae-base-b512`)\nis not measured.' in text


def test_sizes_that_do_not_fit_are_left_out(monkeypatch):
    monkeypatch.setattr(growth, 'available_mib', lambda: 4096)
    fits = [growth.fits(setting) for setting in growth.settings('batch', Setting())]
    assert fits[0] and not fits[-1]
    assert growth.fits(replace(Setting(), batch=4096, device='cuda'))


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--rows', 'nothing'], 'is named nothing: --list shows'),
        (['--rounds', '0'], '--rounds 0 must be at least 1'),
        (['--mae-repo', '/nowhere'], '--mae-repo /nowhere holds no models_mae.py'),
    ],
)
def test_bad_options_end_in_a_sentence(arguments, words):
    command = [sys.executable, BENCHMARKS / 'run.py', '--quick', *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and words in done.stderr and 'Traceback' not in done.stderr


@pytest.mark.long
def test_a_quick_run_of_everything(tmp_path):
    command = [sys.executable, BENCHMARKS / 'run.py', '--quick', '--rounds', '1', '--batch', '2']
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0 and 'not measured' not in done.stdout + done.stderr
    folder = Path(done.stdout.splitlines()[-1]).parent
    found = record.load(folder / 'benchmarks_cpu.json')
    assert set(found) == {row.name for row in rows.rows_for('cpu')}
    assert all('ratio' in c for r in found.values() for c in r['contestants'].values())
