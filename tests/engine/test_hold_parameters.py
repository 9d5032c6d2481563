"""What DINO's recipe asks of the engine: a layer that starts late, clipping by tensor, and weight
decay on a cosine.
"""

import math

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import OPTIM_WRAPPERS, RUNNERS
from mmengine.runner import Runner as TheirRunner
from toys import toy_config

ADAM = dict(
    type='mmmim.OptimWrapper',
    constructor='mmmim.LayerDecayOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.1),
)
DECAY = dict(
    type='CosineAnnealingParamScheduler',
    param_name='weight_decay',
    eta_min_ratio=10,
    by_epoch=True,
    convert_to_iter_based=True,
)


class Watch(Hook):
    """Weights, optimizer state and weight decay after each iteration."""

    priority = 'VERY_HIGH'  # before the schedules move

    def __init__(self, name='net.2.weight'):
        self.name, self.weights, self.decay, self.steps = name, [], [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        held = dict(runner.model.named_parameters())[self.name]
        optimizer = runner.optim_wrapper.optimizer
        self.weights.append(held.detach().clone())
        self.steps.append(int(optimizer.state.get(held, {}).get('step', 0)))
        self.decay.append([group['weight_decay'] for group in optimizer.param_groups])


def run(folder, runner=None, hooks=(), **changes):
    kind = runner or RUNNERS.get('mmmim.Runner')
    made = kind(**toy_config(folder, custom_hooks=list(hooks), **changes))
    before = {n: p.detach().clone() for n, p in made.model.named_parameters()}
    made.train()
    return made, before


@pytest.mark.parametrize('runner', [None, TheirRunner], ids=['ours', 'mmengine'])
@pytest.mark.parametrize('counts', [1, 2])
def test_held_parameters_stay_and_leave_no_trace_in_the_optimizer(tmp_path, runner, counts):
    watch = Watch()
    hold = dict(type='mmmim.HoldParametersHook', names=('net.2.',), epochs=1)
    wrapper = dict(ADAM, accumulative_counts=counts, clip_grad=dict(max_norm=1.0))
    made, before = run(tmp_path, runner, [watch, hold], optim_wrapper=wrapper)
    assert all(torch.equal(weight, before['net.2.weight']) for weight in watch.weights[:4])
    assert watch.steps[:4] == [0] * 4 and watch.steps[-1] == 4 // counts
    assert not torch.equal(watch.weights[-1], before['net.2.weight'])
    assert not torch.equal(
        dict(made.model.named_parameters())['net.0.weight'], before['net.0.weight']
    )


def test_names_that_hold_nothing_are_refused(tmp_path):
    hold = dict(type='mmmim.HoldParametersHook', names=('head.',))
    with pytest.raises(ValueError, match="begins with .'head.',."):
        run(tmp_path, hooks=[hold])


@pytest.mark.parametrize('counts', [1, 2])
def test_weight_decay_follows_the_cosine_where_there_is_any(tmp_path, counts):
    """0.1 to 1 over the updates of the run; biases stay without."""
    watch = Watch()
    wrapper = dict(ADAM, accumulative_counts=counts)
    run(tmp_path, hooks=[watch], optim_wrapper=wrapper, param_scheduler=[DECAY])
    updates = 8 // counts
    for i, values in enumerate(watch.decay):
        done = i // counts
        expected = 1 + 0.5 * (0.1 - 1) * (1 + math.cos(math.pi * done / updates))
        assert sorted(values) == pytest.approx([0, expected], abs=1e-9)


def test_every_tensor_is_clipped_by_its_own_norm():
    torch.manual_seed(0)
    shapes = [(3, 4), (5,), (2, 2, 2), (1,)]
    params = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]
    grads = [torch.randn(shape) * scale for shape, scale in zip(shapes, [5, 0.1, 2, 9])]
    wrapper = OPTIM_WRAPPERS.build(
        dict(
            type='mmmim.OptimWrapper',
            optimizer=torch.optim.SGD(params, lr=1.0),
            clip_grad=dict(type='parameter', max_norm=1.5),
        )
    )
    for param, grad in zip(params, grads):
        param.grad = grad.clone()
    wrapper.step()
    for param, grad in zip(params, grads):
        norm = math.sqrt(sum(value**2 for value in grad.flatten().tolist()))
        factor = min(1.0, 1.5 / (norm + 1e-6))
        torch.testing.assert_close(param.detach(), -grad * factor)
    whole = math.sqrt(sum(float(grad.square().sum()) for grad in grads))
    assert wrapper.last_grad_norm.item() == pytest.approx(whole, rel=1e-6)
    assert sum(grad.norm() > 1.5 for grad in grads) == 3
