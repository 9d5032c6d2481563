import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmmim.registry import HOOKS


class Loop:
    def __init__(self, metrics):
        self.metrics, self.runs = metrics, 0

    def run(self):
        self.runs += 1
        return self.metrics


def runner(work_dir, **cfg):
    return SimpleNamespace(
        work_dir=str(work_dir),
        cfg=dict(dict(val_dataloader={}, test_dataloader={}), **cfg),
        val_loop=Loop({'accuracy/top1': torch.tensor(25.0), 'count': 3}),
        test_loop=Loop({'accuracy/top1': np.float32(50.0)}),
    )


def build(**kwargs):
    return HOOKS.build(dict(type='mmmim.FinalEvaluationHook', **kwargs))


def test_writes_the_metrics_of_both_loops(tmp_path):
    hook, run = build(), runner(tmp_path)
    hook.before_train(run)
    hook.after_train(run)
    content = json.loads((tmp_path / 'final_metrics.json').read_text())
    assert content == {'val': {'accuracy/top1': 25.0, 'count': 3}, 'test': {'accuracy/top1': 50.0}}


def test_runs_only_the_loops_it_is_told(tmp_path):
    run = runner(tmp_path, val_dataloader=None)
    hook = build(loops=['test'], out='m.json')
    hook.before_train(run)
    hook.after_train(run)
    assert (run.val_loop.runs, run.test_loop.runs) == (0, 1)
    assert list(json.loads((tmp_path / 'm.json').read_text())) == ['test']


def test_says_what_is_missing_before_the_training(tmp_path):
    with pytest.raises(ValueError, match='no val_dataloader'):
        build().before_train(runner(tmp_path, val_dataloader=None))


@pytest.mark.parametrize('loops', [['train'], []])
def test_refuses_other_loops(loops):
    with pytest.raises(ValueError, match='loops of FinalEvaluationHook'):
        build(loops=loops)
