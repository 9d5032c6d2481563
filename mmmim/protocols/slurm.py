"""The same jobs in the queue of Slurm; one more waits for them, collects and submits the rest."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from mmmim.jobs.job import Job, Markers, signatures, write_atomic

# Taken off the user's options for jobs that need one core.
_PER_TRAINING = (
    '--gpus',
    '--gres',
    '--ntasks',
    '--nodes',
    '--cpus',
    '--mem-per-gpu',
    '--exclusive',
)
_ACTIVE = 'PENDING,RUNNING,SUSPENDED,COMPLETING,CONFIGURING,REQUEUED,REQUEUE_HOLD,RESIZING'


def small_options(options) -> tuple:
    """Options of sbatch without what asks for GPUs, nodes and tasks."""
    return tuple(word for word in options if not word.startswith(_PER_TRAINING))


class Queue:
    """Submits a graph of jobs and collects what has ended.

    Args:
        markers: Where results, logs and the ids of submitted jobs live.
        root: Folder that holds tools/.
        options: Options of sbatch for trainings, in the form ``--name=value``.
        small: Those of jobs on one core; default: the same without GPUs, nodes and tasks.
        say: Prints a line.

    Attributes:
        failures: Name -> message, of jobs that left the queue without a result.
    """

    def __init__(self, markers: Markers, root: Path, options, small=None, say=print):
        self.markers, self.root, self.say = markers, Path(root), say
        self.options = tuple(options)
        self.small = small_options(options) if small is None else tuple(small)
        self.path = markers.root / 'slurm.json'
        self.failures: dict[str, str] = {}

    def advance(self, grow, again: tuple, follow_up: bool) -> dict:
        """Collect what has ended, submit what can start and a call that comes back after it.

        Args:
            grow: Gives the jobs by name when it is told the markers so far.
            again: Command that continues, run by the queue.
            follow_up: Whether the queue made this call: then nothing that failed is tried again.

        Returns:
            Markers by job name.
        """
        known = self._read()
        active = active_jobs([entry['id'] for entry in known['jobs'].values()])
        done, jobs, keys = self._collect(grow, known, active)
        waiting = {
            name: known['jobs'][name]['id'] for name in jobs if self._waits(name, known, active)
        }
        for name, job in jobs.items():
            if name in done or name in waiting or (follow_up and name in self.failures):
                continue
            waiting[name] = self._submit(
                job, keys[name], [waiting[n] for n in job.needs if n in waiting]
            )
            known['jobs'][name] = dict(id=waiting[name], signature=keys[name])
            self.failures.pop(name, None)
            write_atomic(self.path, json.dumps(known, indent=1))
        if waiting:
            known['follow_up'] = self._follow(again, waiting.values(), known.get('follow_up'))
            write_atomic(self.path, json.dumps(known, indent=1))
        return done

    def _read(self) -> dict:
        try:
            return json.loads(self.path.read_text(encoding='utf-8'))
        except FileNotFoundError:
            return dict(jobs={}, follow_up=None)

    @staticmethod
    def _waits(name, known, active) -> bool:
        return name in known['jobs'] and known['jobs'][name]['id'] in active

    def _collect(self, grow, known, active):
        """Markers of all that is done, among them those of jobs that have just ended."""
        done: dict = {}
        while True:
            jobs = grow(done)
            keys = signatures(jobs)
            found = {}
            for name, job in jobs.items():
                if name in done or self._waits(name, known, active):
                    continue
                marker = self.markers.read(job, keys[name]) or self._ended(job, keys[name], known)
                if marker:
                    found[name] = marker
            if not found:
                return done, jobs, keys
            done.update(found)

    def _ended(self, job: Job, signature: str, known) -> dict | None:
        """The marker of a job that has left the queue, if it ended well."""
        entry = known['jobs'].get(job.name)
        if entry is None or entry['signature'] != signature:
            return None
        log = self.markers.log_path(job)
        if self._success(job).is_file() and self._success(job).read_text().strip() == signature:
            try:
                return self.markers.write(job, signature, job.collect())
            except (OSError, ValueError, KeyError) as error:
                message = f'{job.name} ended well but its result cannot be read: {error}'
        else:
            message = f'{job.name} (Slurm job {entry["id"]}) left the queue without a result'
        self.failures[job.name] = f'{message}. Its log: {log}'
        self.markers.note_failure(job, self.failures[job.name])
        return None

    def _success(self, job: Job) -> Path:
        return self.markers.jobs_dir / f'{job.name}.ended'

    def _submit(self, job: Job, signature: str, needs) -> str:
        again = self.markers.remember_start(job, signature)
        training = Path(job.command[1]).name == 'train.py'
        script = self.markers.jobs_dir / f'{job.name}.sh'
        if job.work_dir is not None and not (again and job.resumable):
            shutil.rmtree(job.work_dir, ignore_errors=True)
        self._success(job).unlink(missing_ok=True)
        write_atomic(script, self._script(job, signature, training))
        options = [*(self.options if training else self.small), f'--job-name={job.name}']
        options += [f'--output={self.markers.log_path(job).absolute()}', '--open-mode=append']
        options += ['--requeue', '--signal=USR1@120'] if training else []
        options += [f'--dependency=afterok:{":".join(needs)}'] if needs else []
        number = sbatch([*options, str(script)])
        self.say(f'  {job.name:<44} is Slurm job {number}')
        return number

    def _script(self, job: Job, signature: str, training: bool) -> str:
        command = list(map(str, job.command))
        if training:
            # slurm_train.sh takes nodes and tasks from the allocation and starts train.py on each.
            command = ['bash', str(self.root / 'tools/slurm_train.sh'), *command[2:]]
        return (
            '#!/usr/bin/env bash\nset -euo pipefail\n'
            f'cd {shlex.quote(str(Path.cwd()))}\n'
            f'export PYTHON={shlex.quote(sys.executable)}\n'
            f'{shlex.join(command)}\n'
            f'echo {signature} > {shlex.quote(str(self._success(job).absolute()))}\n'
        )

    def _follow(self, again, numbers, before) -> str:
        """Submit the call that comes back when all have ended, in the place of an earlier one."""
        if before and before in active_jobs([before]) and not _is_this_job(before):
            subprocess.run(['scancel', before], check=False)
        script = self.markers.jobs_dir / 'follow-up.sh'
        write_atomic(
            script,
            '#!/usr/bin/env bash\nset -euo pipefail\n'
            f'cd {shlex.quote(str(Path.cwd()))}\n{shlex.join(map(str, again))}\n',
        )
        log = (self.markers.logs_dir / 'follow-up.log').absolute()
        options = [*self.small, '--job-name=transfer-table', f'--output={log}']
        options += ['--open-mode=append', f'--dependency=afterany:{":".join(numbers)}']
        number = sbatch([*options, str(script)])
        self.say(f'  {"the table is written by":<44} Slurm job {number}')
        return number


def _is_this_job(number: str) -> bool:
    return os.environ.get('SLURM_JOB_ID') == number


def sbatch(words) -> str:
    """Submit and return the id.

    Raises:
        RuntimeError: If there is no sbatch, or it refuses.
    """
    try:
        run = subprocess.run(['sbatch', '--parsable', *words], capture_output=True, text=True)
    except FileNotFoundError:
        raise RuntimeError(
            'There is no sbatch on this machine: call from a node that submits jobs, or leave '
            '--slurm out.'
        ) from None
    if run.returncode != 0:
        raise RuntimeError(
            f'sbatch refused {words[-1]}: {run.stderr.strip() or run.stdout.strip()}'
        )
    return run.stdout.strip().split(';')[0]


def active_jobs(numbers) -> set:
    """Those of ``numbers`` that are in the queue, waiting or running.

    Raises:
        RuntimeError: If the queue cannot be asked: nothing may then be submitted twice.
    """
    numbers = set(filter(None, numbers))
    if not numbers:
        return set()
    command = ['squeue', '--noheader', '--me', '--format=%i', f'--states={_ACTIVE}']
    try:
        run = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise RuntimeError('There is no squeue on this machine: leave --slurm out.') from None
    if run.returncode != 0:
        raise RuntimeError(f'squeue cannot say what is running: {run.stderr.strip()}')
    return numbers & set(run.stdout.split())
