import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from mmmim.jobs.job import Job, Markers, signatures, write_atomic
from mmmim.jobs.progress import Display
from mmmim.jobs.scheduler import JobFailed, Scheduler


def python(code, *args):
    return (sys.executable, '-c', textwrap.dedent(code), *map(str, args))


def scheduler(root, slots=2, **kwargs):
    return Scheduler(Markers(root), slots, Display(io.StringIO(), live=False), **kwargs)


def counting_job(root, name, needs=(), inputs='', **kwargs):
    """A job that appends a letter to a file each time it runs."""
    path = root / f'{name}.count'
    code = 'import sys; open(sys.argv[1], "a").write("x")'
    return Job(
        name,
        'Stage',
        python(code, path),
        needs=needs,
        inputs=inputs,
        collect=lambda: dict(runs=len(path.read_text())),
        **kwargs,
    )


def as_dict(*jobs):
    return {job.name: job for job in jobs}


def test_runs_in_order_and_a_second_run_does_nothing(tmp_path):
    a, b = counting_job(tmp_path, 'a'), counting_job(tmp_path, 'b', needs=('a',))
    first = scheduler(tmp_path).run(as_dict(a, b))
    assert first['a']['result'] == dict(runs=1) and first['b']['result'] == dict(runs=1)
    assert scheduler(tmp_path).run(as_dict(a, b)) == first
    assert (tmp_path / 'a.count').read_text() == 'x'


def test_a_changed_input_reruns_the_job_and_what_needs_it_only(tmp_path):
    jobs = as_dict(
        counting_job(tmp_path, 'a'),
        counting_job(tmp_path, 'b', needs=('a',)),
        counting_job(tmp_path, 'c'),
    )
    scheduler(tmp_path).run(jobs)
    jobs['a'] = counting_job(tmp_path, 'a', inputs='another learning rate')
    result = scheduler(tmp_path).run(jobs)
    assert [result[name]['result']['runs'] for name in 'abc'] == [2, 2, 1]


def test_slots_bound_the_threads_and_two_jobs_overlap(tmp_path):
    code = """
        import os, sys, time
        me, other = sys.argv[1:]
        start = time.time()
        open(me + ".here", "w").close()
        while other and not os.path.exists(other + ".here"):  # alone, it would wait for ever
            time.sleep(0.01)
        open(me, "w").write(f"{start} {time.time()}")
    """

    def job(name, threads, other=''):
        command = python(code, tmp_path / name, tmp_path / other if other else '')
        return Job(name, 'Stage', command, threads=threads, collect=lambda: dict(span=span(name)))

    def span(name):
        return [float(moment) for moment in (tmp_path / name).read_text().split()]

    jobs = as_dict(job('wide', 2), job('one', 1, 'two'), job('two', 1, 'one'))
    done = scheduler(tmp_path).run(jobs)
    wide, one, two = (done[name]['result']['span'] for name in ('wide', 'one', 'two'))
    assert min(one[0], two[0]) >= wide[1]


def test_threads_reach_the_subprocess(tmp_path):
    job = Job(
        'a',
        'Stage',
        python(
            'import os, sys; open(sys.argv[1], "w").write(os.environ["OMP_NUM_THREADS"])',
            tmp_path / 'a',
        ),
        collect=lambda: dict(threads=(tmp_path / 'a').read_text()),
    )
    assert scheduler(tmp_path).run(as_dict(job))['a']['result'] == dict(threads='1')


def test_failure_shows_the_end_of_the_log_and_keeps_finished_jobs(tmp_path):
    bad = Job(
        'bad',
        'Fine-tuning',
        python('print("step 1"); raise SystemExit("disk on fire")'),
        needs=('good',),
    )
    with pytest.raises(JobFailed) as info:
        scheduler(tmp_path).run(as_dict(counting_job(tmp_path, 'good'), bad))
    text = str(info.value)
    assert (
        'disk on fire' in text
        and 'exit code 1' in text
        and str(tmp_path / 'logs' / 'bad.log') in text
    )
    assert (tmp_path / 'jobs' / 'good.json').is_file() and not (
        tmp_path / 'jobs' / 'bad.json'
    ).exists()


def test_unreadable_result_is_a_failure(tmp_path):
    job = Job(
        'a', 'Stage', python('pass'), collect=lambda: json.loads((tmp_path / 'missing').read_text())
    )
    with pytest.raises(JobFailed, match='cannot be read'):
        scheduler(tmp_path).run(as_dict(job))


def test_keep_going_leaves_out_only_what_needs_the_failed_job(tmp_path):
    bad = Job('bad', 'Stage', python('raise SystemExit("disk on fire")'))
    jobs = as_dict(
        bad,
        counting_job(tmp_path, 'child', needs=('bad',)),
        counting_job(tmp_path, 'other'),
    )
    runner = scheduler(tmp_path, keep_going=True)
    assert set(runner.run(jobs)) == {'other'}
    assert 'disk on fire' in runner.failures['bad'] and not (tmp_path / 'child.count').exists()
    assert runner.markers.has_failed(bad) and not runner.markers.has_failed(jobs['child'])
    jobs['bad'] = counting_job(tmp_path, 'bad')
    assert set(scheduler(tmp_path, keep_going=True).run(jobs)) == {'bad', 'child', 'other'}
    assert not runner.markers.has_failed(bad)


def test_graph_grows_with_the_results(tmp_path):
    seen = []

    def graph(done):
        jobs = as_dict(counting_job(tmp_path, 'first'))
        if 'first' in done:
            name = f'after-{done["first"]["result"]["runs"]}-run'
            jobs |= as_dict(counting_job(tmp_path, name, needs=('first',)))
        return jobs

    def run():
        return scheduler(tmp_path).run(graph, on_change=lambda done: seen.append(sorted(done)))

    assert set(run()) == {'first', 'after-1-run'}
    assert seen == [[], ['first'], ['after-1-run', 'first']]
    assert set(run()) == {'first', 'after-1-run'}  # found again, nothing ran twice
    assert seen[3:] == [['after-1-run', 'first']]


def test_processor_time_covers_the_children_of_a_job(tmp_path):
    burn = 'import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass'
    code = f"""
        import subprocess, sys
        subprocess.run([sys.executable, "-c", {burn!r}])
    """
    jobs = as_dict(Job('busy', 'S', python(code)), Job('idle', 'S', python('pass')))
    done = scheduler(tmp_path).run(jobs)
    assert done['busy']['cpu_seconds'] >= done['idle']['cpu_seconds'] + 0.25


def test_work_dir_is_kept_only_for_an_interrupted_resumable_job(tmp_path):
    work_dir = tmp_path / 'work'
    code = """
        import os, sys
        os.makedirs(sys.argv[1], exist_ok=True); path = sys.argv[1] + "/seen"
        seen = os.path.exists(path); open(path, "w").close()
        sys.exit(0 if seen else 3)
    """
    job = Job('a', 'Stage', python(code, work_dir), work_dir=work_dir, resumable=True)
    for _ in range(2):  # one that cannot resume starts from an empty folder
        with pytest.raises(JobFailed):
            scheduler(tmp_path / 'x').run(
                as_dict(Job('a', 'Stage', python(code, work_dir), work_dir=work_dir))
            )
    with pytest.raises(JobFailed):
        scheduler(tmp_path).run(as_dict(job))
    assert scheduler(tmp_path).run(as_dict(job))['a']['continued']


def test_a_damaged_marker_counts_as_missing(tmp_path):
    job = counting_job(tmp_path, 'a')
    scheduler(tmp_path).run(as_dict(job))
    (tmp_path / 'jobs' / 'a.json').write_text('{"signature": "')
    assert scheduler(tmp_path).run(as_dict(job))['a']['result'] == dict(runs=2)


def test_write_atomic_leaves_no_partial_file(tmp_path):
    write_atomic(tmp_path / 'x' / 'a.json', 'one')
    write_atomic(tmp_path / 'x' / 'a.json', 'two')
    assert [path.name for path in (tmp_path / 'x').iterdir()] == ['a.json']
    assert (tmp_path / 'x' / 'a.json').read_text() == 'two'


def test_signature_depends_on_what_a_job_needs():
    base = as_dict(Job('a', 's', ('x',)), Job('b', 's', ('y',), needs=('a',)))
    changed = as_dict(Job('a', 's', ('x', '--seed', '1')), Job('b', 's', ('y',), needs=('a',)))
    assert signatures(base)['b'] != signatures(changed)['b']


@pytest.mark.skipif(sys.platform != 'linux', reason='asks the Linux kernel to end the children')
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_killing_the_parent_ends_the_jobs(tmp_path, number):
    parent = f"""
        import io, sys
        sys.path.insert(0, {str(os.path.dirname(__file__))!r})
        from test_scheduler import *
        code = 'import os, sys, time; open(sys.argv[1], "w").write(str(os.getpid()))'
        job = Job('a', 'Stage', python(code + '; time.sleep(60)', {str(tmp_path / 'pid')!r}))
        scheduler({str(tmp_path)!r}).run(as_dict(job))
    """
    process = subprocess.Popen(python(parent))
    for _ in range(200):
        if (tmp_path / 'pid').is_file() and (tmp_path / 'pid').read_text():
            break
        time.sleep(0.1)
    child = int((tmp_path / 'pid').read_text())
    process.send_signal(number)
    process.wait(10)
    for _ in range(50):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail('the job outlived its parent')
