"""tools/transfer.py in a queue, against a stand-in for Slurm that keeps a list."""

import csv
import json
import os
import subprocess

import pytest
from transfer_checkout import calls, make_checkout, make_slurm

from mmmim.protocols.main import main
from mmmim.protocols.recipes import PROTOCOLS
from mmmim.protocols.slurm import small_options

WORDS = ['run/encoder.pth', '--slurm=--partition=p --gpus-per-node=8 --ntasks-per-node=8']


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = make_checkout(tmp_path / 'checkout')
    monkeypatch.chdir(folder)
    monkeypatch.setenv('FAKE_QUEUE', str(make_slurm(tmp_path / 'bin')))
    monkeypatch.setenv('PATH', f'{tmp_path / "bin"}:{os.environ["PATH"]}')
    return folder


def queue():
    with open(os.environ['FAKE_QUEUE']) as file:
        return json.load(file)


def run_jobs(root, select=lambda job: True):
    """Run what waits, but for the calls that come back: those are made here, in this process."""
    jobs = queue()
    for job in jobs:
        if job['state'] == 'waiting' and not is_call(job) and select(job):
            job['state'] = 'ended'
            subprocess.run(['bash', job['words'][-1]], capture_output=True)
    with open(os.environ['FAKE_QUEUE'], 'w') as file:
        json.dump(jobs, file)


def is_call(job):
    return '--job-name=transfer-table' in job['words']


def come_back(root, words):
    """What the last waiting call does."""
    jobs = queue()
    (call,) = [job for job in jobs if is_call(job) and job['state'] == 'waiting']
    script = open(call['words'][-1]).read()
    assert 'tools/transfer.py' in script and script.rstrip().endswith('--follow-up')
    call['state'] = 'ended'
    with open(os.environ['FAKE_QUEUE'], 'w') as file:
        json.dump(jobs, file)
    return main(root, [*words, '--follow-up'])


def states(root):
    with open(root / 'work_dirs/transfer/run-encoder/table.csv', newline='') as file:
        return {row['task']: row['state'] for row in csv.DictReader(file)}


def test_rates_are_tried_then_chosen_then_the_table_is_written(root):
    words = [*WORDS, '--tasks', 'ft,knn', '--grid', '--seeds', '2']
    assert main(root, words) == 0
    first = queue()
    grid = PROTOCOLS['ft'].scenes.grid
    assert len(first) == len(grid) + 2 and states(root)['knn'] == '1 jobs missing'
    training, features, call = first[0]['words'], first[-2]['words'], first[-1]['words']
    assert '--gpus-per-node=8' in training and '--requeue' in training
    assert '--signal=USR1@120' in training
    assert '--gpus-per-node=8' not in features and '--partition=p' in features
    numbers = ':'.join(job['id'] for job in first[:-1])
    assert f'--dependency=afterany:{numbers}' in call
    assert main(root, words) == 0  # called twice: nothing is submitted twice
    assert [job['state'] for job in queue() if is_call(job)] == ['cancelled', 'waiting']
    assert sum(not is_call(job) for job in queue()) == len(grid) + 1
    run_jobs(root)
    assert come_back(root, words) == 0
    assert states(root) == dict(ft='1 jobs missing', knn='done')
    (second,) = [job for job in queue() if job['state'] == 'waiting' and not is_call(job)]
    assert f'--job-name=ft-pretrained-lr{min(grid):g}-s1' in second['words']
    run_jobs(root)
    assert come_back(root, words) == 0
    assert states(root) == dict(ft='done', knn='done')
    assert not [job for job in queue() if job['state'] == 'waiting']


def test_a_failed_job_is_told_and_tried_again_only_by_the_user(root, capsys):
    words = [*WORDS, '--tasks', 'det,seg']
    (root / 'break-det').touch()
    assert main(root, words) == 0
    run_jobs(root)
    assert come_back(root, words) == 1
    assert states(root)['det'].startswith('failed: det-') and states(root)['seg'] == 'done'
    assert not [job for job in queue() if job['state'] == 'waiting']
    (root / 'break-det').unlink()
    assert main(root, words) == 0
    run_jobs(root)
    assert come_back(root, words) == 0 and states(root)['det'] == 'done'
    assert len(calls(root)) == 3


def test_a_refusal_of_sbatch_is_the_error(root, tmp_path, capsys):
    (tmp_path / 'bin/sbatch').write_text('#!/bin/sh\necho invalid partition >&2\nexit 1\n')
    assert main(root, [*WORDS, '--tasks', 'ft']) == 2
    assert 'invalid partition' in capsys.readouterr().err


def test_options_of_small_jobs():
    given = ('--partition=p', '--gpus-per-node=8', '--ntasks-per-node=8', '--time=9', '--nodes=2')
    assert small_options(given) == ('--partition=p', '--time=9')
