import io
from types import SimpleNamespace

import pytest

from mmmim.engine.log_processor import LogProcessor, eta
from mmmim.engine.log_processor import describe as log_words
from mmmim.jobs.job import Job
from mmmim.jobs.progress import (
    Display,
    Progress,
    clock,
    describe,
    last_progress,
    read_tail,
    seconds_of,
)

STAMP = '11/21 10:00:00 - mmengine - INFO - '
TRAIN = (
    STAMP + 'Epoch  3/10 [ 39/156]  812.4 images/s  loss 0.5125  '
    'lr 1.000e-03  data 0%  memory 1 MiB  eta 0:02:05\n'
)
ITER = STAMP + 'Iter  500/2000  loss 1.5000  lr 1.0e-03  memory 10 MiB  eta 1 day, 1:00:00\n'
FIRST = STAMP + 'Epoch 1/2 [1/4]  memory 10 MiB  eta ?\n'
LAST = STAMP + 'Epoch 10/10 [156/156]  812 images/s  loss 0.5  eta 0:00:00\n'


def test_reads_the_last_step():
    progress = last_progress(ITER + 'noise\n' + TRAIN + 'noise\n')
    assert progress.fraction == pytest.approx((2 * 156 + 39) / 1560)
    assert (progress.speed, progress.loss, progress.eta) == (812.4, 0.5125, 125)
    progress = last_progress(TRAIN + ITER)
    assert (progress.fraction, progress.speed, progress.eta) == (0.25, None, 25 * 3600)
    assert last_progress(FIRST) == Progress(0.125)
    assert last_progress('nothing yet') is None


def test_reads_what_the_log_processor_of_the_toolkit_writes():
    hub = SimpleNamespace(runtime_info=dict(eta=125))
    runner = SimpleNamespace(
        epoch=2, max_epochs=10, train_dataloader=range(156), message_hub=hub, iter=499
    )
    place = LogProcessor(by_epoch=True)._place(runner, 38)
    scalars = dict(images_per_second=812.4, loss=0.5125, lr=1e-3, memory=1, time=0.1)
    line = STAMP + '  '.join([place, *log_words(scalars), eta(runner)])
    assert line == TRAIN.strip()
    runner.max_iters = 2000
    place = LogProcessor(by_epoch=False)._place(runner, 0)
    assert last_progress(STAMP + place).fraction == 0.25


def test_one_job_shows_speed_loss_and_time_left():
    job = Job('pretrain', 'Pre-training', (), label='seed 0')
    text = describe([(job, last_progress(TRAIN))])
    assert text == 'Pre-training [##--------]  812 images/s  seed 0 loss 0.512  ETA 2:05'
    assert describe([(job, None)]) == 'Pre-training [----------]  seed 0 starting'
    assert describe([(job, last_progress(LAST))]).endswith('seed 0 finishing')


def test_two_jobs_show_both_losses_and_the_longer_time():
    sides = [Job(side, 'Detection', (), label=side, evaluates=True) for side in ('mine', 'yours')]
    text = describe([(sides[0], last_progress(TRAIN)), (sides[1], last_progress(LAST))])
    assert text == 'Detection [##--------]  mine loss 0.512  yours evaluating  ETA 2:05'


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
        (Job(f'classification-{side}', 'Transfer', (), label=side), last_progress(TRAIN))
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
        display.update([(Job('a', 's', ()), last_progress(TRAIN))])
    assert stream.getvalue().count('\n') == 1


def test_read_tail(tmp_path):
    assert read_tail(tmp_path / 'none') == ''
    (tmp_path / 'log').write_text('a' * 100 + 'b' * 10)
    assert read_tail(tmp_path / 'log', 10) == 'b' * 10
