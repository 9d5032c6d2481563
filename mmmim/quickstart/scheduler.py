"""Run a graph of jobs on a fixed number of slots.

Finished jobs are skipped, so a kill at any point loses little.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

from .jobs import Job, Markers, signatures
from .progress import Display, clock, last_progress, read_tail

POLL_SECONDS = 0.25
GRACE_SECONDS = 8.0
TAIL_LINES = 25
_PR_SET_PDEATHSIG = 1


class JobFailed(RuntimeError):
    """A job ended with an error; the message holds the end of its log and the path of the whole."""


def _die_with_parent():
    """In the child: ask Linux for a SIGTERM when the parent dies, so that no job outlives it."""
    if sys.platform == 'linux':
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def failure_text(job: Job, code: int, markers: Markers) -> str:
    """What a user needs after a failure: the last lines, the log, the command."""
    log = markers.log_path(job)
    lines = [line for line in read_tail(log).splitlines() if line.strip()][-TAIL_LINES:]
    reason = f'was killed by signal {-code}' if code < 0 else f'ended with exit code {code}'
    if code == -signal.SIGKILL:
        reason += ' (often: out of memory)'
    body = '\n'.join(f'    {line}' for line in lines) or '    (the log is empty)'
    return (
        f'Stage "{job.stage}", job {job.name}, {reason}. The last lines of its log:\n{body}\n'
        f'  Whole log:   {log}\n  Its command: {shlex.join(map(str, job.command))}'
    )


class Scheduler:
    """Runs jobs as subprocesses.

    Args:
        markers: Where results and logs live.
        slots: Threads to use at most; a job takes ``job.threads`` of them.
        display: Shows the progress.
    """

    def __init__(self, markers: Markers, slots: int, display: Display):
        self.markers, self.slots, self.display = markers, slots, display
        self._running = {}  # name -> (job, process, start time, log file)

    def run(self, jobs: Mapping[str, Job]) -> dict:
        """Run every job that has no valid marker yet.

        Args:
            jobs: Jobs by name, each after the jobs it needs.

        Returns:
            Markers by job name.

        Raises:
            JobFailed: If a job fails; the others are stopped.
        """
        keys = signatures(jobs)
        done = {
            name: marker
            for name, job in jobs.items()
            if not job.always and (marker := self.markers.read(job, keys[name]))
        }
        if done:
            self.display.say(f'  {len(done)} of {len(jobs)} jobs were done before')
        waiting = [job for name, job in jobs.items() if name not in done]
        if self.markers.trust:
            waiting = _refuse_training(waiting)
        try:
            while waiting or self._running:
                for job in self._startable(waiting, done):
                    waiting.remove(job)
                    self._start(job, keys[job.name])
                time.sleep(POLL_SECONDS)
                done.update(self._reap(keys))
                self._show(f'{len(done)}/{len(jobs)}')
        except BaseException:
            self.stop()
            raise
        return done

    def stop(self) -> None:
        """End what is running: politely first, then not."""
        for _, process, _, _ in self._running.values():
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for _, process, _, log in self._running.values():
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                pass
            # Also ends loader workers that outlived their parent.
            _signal_group(process, signal.SIGKILL)
            process.wait()
            log.close()
        self._running.clear()

    def _startable(self, waiting, done):
        free = self.slots - sum(min(job.threads, self.slots) for job, *_ in self._running.values())
        for job in list(waiting):
            need = min(job.threads, self.slots)
            if any(name not in done for name in job.needs):
                continue
            if need > free:
                return  # keep the order: a later, smaller job must not starve this one
            free -= need
            yield job

    def _start(self, job: Job, signature: str) -> None:
        again = self.markers.remember_start(job, signature)
        if job.work_dir is not None and not (again and job.resumable):
            shutil.rmtree(job.work_dir, ignore_errors=True)
        log = open(self.markers.log_path(job), 'ab' if again else 'wb')
        threads = str(job.omp_threads or min(job.threads, self.slots))
        env = dict(
            os.environ, OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads, PYTHONUNBUFFERED='1'
        )
        process = subprocess.Popen(
            list(map(str, job.command)),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=env,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        self._running[job.name] = (job, process, time.monotonic(), log)

    def _reap(self, keys) -> dict:
        finished, failures = {}, []
        for name, (job, process, start, log) in list(self._running.items()):
            code = process.poll()
            if code is None:
                continue
            log.close()
            del self._running[name]
            try:
                if code != 0:
                    raise JobFailed(failure_text(job, code, self.markers))
                finished[name] = self._finish(job, keys[name], time.monotonic() - start)
            except JobFailed as error:
                # Raised below, so that a job that ended well beside it keeps its marker.
                failures.append(error)
        if failures:
            raise failures[0]
        return finished

    def _finish(self, job: Job, signature: str, seconds: float) -> dict:
        try:
            result = job.collect()
        except (OSError, ValueError, KeyError) as error:
            raise JobFailed(
                f'Stage "{job.stage}", job {job.name}, ended well but its result cannot be read '
                f'({type(error).__name__}: {error}). Its log: {self.markers.log_path(job)}'
            ) from error
        self.display.say(f'  {job.name:<44} done in {clock(seconds)}')
        return self.markers.write(job, signature, result, seconds=round(seconds, 1))

    def _show(self, count: str) -> None:
        jobs = [job for job, *_ in self._running.values()]
        logs = [read_tail(self.markers.log_path(job)) for job in jobs]
        self.display.update([(job, last_progress(log)) for job, log in zip(jobs, logs)], count)


def _refuse_training(waiting):
    """With trusted markers nothing is trained: a job with a work directory must be done."""
    missing = [job.name for job in waiting if job.evaluates or job.resumable]
    if missing:
        raise ValueError(
            f'{len(missing)} trainings are not done, {missing[0]} among them: leave --report out '
            'to run them.'
        )
    return [job for job in waiting if not job.always]


def _signal_group(process, number) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
