"""The average of the weights: once per step, and evaluated only where wanted."""

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.registry import RUNNERS
from toys import ToyData, toy_config


class Trace(Hook):
    """The weight after each iteration."""

    priority = 'VERY_HIGH'

    def __init__(self):
        self.weights = []

    def before_train(self, runner):
        self.weights.append(runner.model.net[0].weight.detach().clone())

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.weights.append(runner.model.net[0].weight.detach().clone())


class Seen(BaseMetric):
    """The weight that validation sees."""

    weight = None

    def process(self, data_batch, data_samples):
        Seen.weight = Seen.model.net[0].weight.detach().clone()
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(zero=0.0)


@pytest.mark.parametrize('counts', [1, 2])
@pytest.mark.parametrize('evaluate', [True, False])
def test_average_of_the_steps_and_what_is_evaluated(tmp_path, counts, evaluate):
    trace = Trace()
    cfg = toy_config(tmp_path, custom_hooks=[trace])
    hook = dict(type='mmmim.WeightAverageHook', momentum=0.25, evaluate=evaluate)
    cfg['custom_hooks'] = [trace, hook]
    cfg['optim_wrapper']['accumulative_counts'] = counts
    loader = dict(cfg['train_dataloader'], dataset=ToyData(4))
    cfg.update(val_dataloader=loader, val_cfg=dict(), val_evaluator=[Seen()])
    cfg['train_cfg']['val_begin'] = 2
    runner = RUNNERS.get('mmmim.Runner')(**cfg)
    Seen.model = runner.model
    runner.train()
    assert len(trace.weights) == 9
    after_steps = trace.weights[counts::counts]
    average = after_steps[0]  # the first update copies, as in mmengine
    for weight in after_steps[1:]:
        average = 0.75 * average + 0.25 * weight
    torch.testing.assert_close(Seen.weight, average if evaluate else trace.weights[-1])
    torch.testing.assert_close(runner.model.net[0].weight.detach(), trace.weights[-1])
