import io

import pytest

from mmmim.quickstart.jobs import Job
from mmmim.quickstart.progress import Display, clock, describe, last_progress, read_tail, seconds_of

STAMP = '2026/01/02 10:00:00 - mmengine - INFO - '
TRAIN = (
    STAMP + 'Epoch(train)  [3][ 40/156]  '
    'base_lr: 1.5000e-03 lr: 1.2000e-03  '
    'eta: 0:02:05  time: 0.0800  data_time: 0.0100  memory: 10  loss: 0.5125\n'
)
ITER = (
    STAMP + 'Iter(train) [ 100/2000]  lr: 1.0000e-03  eta: 1 day, 1:00:00  '
    'time: 0.5000  data_time: 0.0100  loss: 1.5000  loss_cls: 0.3\n'
)
VAL = STAMP + 'Epoch(val) [10][ 20/40]    eta: 0:00:01  time: 0.0500\n'


def test_reads_the_last_step():
    progress = last_progress(ITER + 'noise\n' + TRAIN + 'noise\n')
    assert progress.phase == 'train'
    assert (progress.seconds, progress.data_seconds, progress.eta, progress.loss) == (
        0.08,
        0.01,
        125,
        0.5125,
    )
    assert last_progress(TRAIN + ITER).eta == 25 * 3600 and last_progress(TRAIN + ITER).loss == 1.5
    assert last_progress(TRAIN + VAL).phase == 'val'
    assert last_progress('nothing yet') is None


def test_describe_gives_speed_loss_and_time_left():
    job = Job('pretrain', 'Pre-training', (), batch_size=64)
    assert describe(job, last_progress(TRAIN), 10) == 'pretrain 800 img/s loss 0.512 ETA 2:05'
    assert describe(job, None, 1) == 'pretrain starting'
    assert describe(job, last_progress(VAL), 1) == 'pretrain evaluating'


@pytest.mark.parametrize(
    'text, seconds', [('0:02:05', 125), ('2 days, 0:00:01', 172801), ('1 day, 1:00:00', 90000)]
)
def test_seconds_of(text, seconds):
    assert seconds_of(text) == seconds


def test_clock():
    assert [clock(s) for s in (5, 75, 3675)] == ['0:05', '1:15', '1:01:15']


def test_live_line_is_redrawn_and_fits_80_columns():
    stream = io.StringIO()
    display = Display(stream, live=True)
    jobs = [
        (
            Job(f'classification-{side}', 'Transfer', (), batch_size=64, label=side),
            last_progress(TRAIN),
            60,
        )
        for side in ('pretrained', 'scratch')
    ]
    display.update(jobs)
    display.update(jobs)
    display.say('done')
    lines = stream.getvalue().replace('\n', '\r').split('\r')
    assert max(map(len, lines)) < 80
    assert stream.getvalue().endswith('\rdone\n')


def test_plain_lines_are_rare():
    stream = io.StringIO()
    display = Display(stream, live=False)
    for _ in range(5):
        display.update([(Job('a', 's', ()), last_progress(TRAIN), 60)])
    assert stream.getvalue().count('\n') == 1


def test_read_tail(tmp_path):
    assert read_tail(tmp_path / 'none') == ''
    (tmp_path / 'log').write_text('a' * 100 + 'b' * 10)
    assert read_tail(tmp_path / 'log', 10) == 'b' * 10
