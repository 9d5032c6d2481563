"""LARS against a loop written from the papers' formula, and the faults of mmpretrain's."""

import copy

import mmpretrain.engine.optimizers as theirs
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import OPTIMIZERS
from torch import nn

from mmmim.engine.optimizers import LARS


def layer(seed=0):
    torch.manual_seed(seed)
    model = nn.Linear(5, 3)
    nn.init.normal_(model.bias)
    return model.double()


def gradients(steps):
    generator = torch.Generator().manual_seed(1)
    return [
        dict(
            weight=torch.randn(3, 5, generator=generator), bias=torch.randn(3, generator=generator)
        )
        for _ in range(steps)
    ]


def train(model, optimizer, rates, grads):
    for rate, grad in zip(rates, grads):
        for group in optimizer.param_groups:
            group['lr'] = rate
        for name, param in model.named_parameters():
            param.grad = grad[name].double()
        optimizer.step()
    return {name: param.detach() for name, param in model.named_parameters()}


def loop(model, rates, grads, momentum, decay, coefficient):
    """Number by number."""
    values = {name: param.detach().clone() for name, param in model.named_parameters()}
    speed = {name: torch.zeros_like(value) for name, value in values.items()}
    for rate, grad in zip(rates, grads):
        for name, value in values.items():
            step = grad[name].double().clone()
            if value.dim() > 1:
                step += decay * value
                length = sum(float(x) ** 2 for x in value.flatten()) ** 0.5
                other = sum(float(x) ** 2 for x in step.flatten()) ** 0.5
                step *= coefficient * length / other
            speed[name] = momentum * speed[name] + step
            values[name] = value - rate * speed[name]
    return values


RATES = [0.0, 3.0, 6.4, 6.4, 1.0, 0.1]


@pytest.mark.parametrize('decay', [0.0, 0.1])
def test_like_the_formula(decay):
    settings = dict(momentum=0.9, weight_decay=decay)
    model = layer()
    found = train(model, LARS(model.parameters(), lr=1.0, **settings), RATES, gradients(6))
    wanted = loop(layer(), RATES, gradients(6), 0.9, decay, 0.001)
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=1e-12, atol=0)


def test_matrices_that_are_zero_get_plain_steps():
    model = layer()
    nn.init.zeros_(model.weight)
    grad = gradients(1)
    found = train(model, LARS(model.parameters(), lr=1.0), [0.5], grad)
    torch.testing.assert_close(found['weight'], -0.5 * grad[0]['weight'].double())
    still = dict(grad[0], weight=torch.zeros(3, 5))
    found = train(model := layer(), LARS(model.parameters(), lr=1.0), [0.5], [still])
    assert torch.equal(found['weight'], layer().weight.detach())


def test_mmpretrains_takes_the_ratio_of_biases_and_lags_behind_a_falling_rate():
    """Why it is not used: the first has a switch per group, the second none."""
    grads = gradients(2)
    plain = train(model := layer(), LARS(model.parameters(), lr=1.0), [1.0, 0.1], grads)
    their = dict(lr=1.0, momentum=0.9)
    found = train(model := layer(), theirs.LARS(model.parameters(), **their), [1.0, 0.1], grads)
    moved = (found['bias'] - layer().bias).norm() / (plain['bias'] - layer().bias).norm()
    assert moved < 0.01
    model = layer()
    groups = [dict(params=[model.weight]), dict(params=[model.bias], lars_exclude=True)]
    once = train(model, theirs.LARS(groups, **their), [1.0], grads)
    wanted = train(model := layer(), LARS(model.parameters(), lr=1.0), [1.0], grads)
    for name in wanted:  # with the switch the first step agrees
        torch.testing.assert_close(once[name], wanted[name])
    model = layer()
    groups = [dict(params=[model.weight]), dict(params=[model.bias], lars_exclude=True)]
    twice = train(model, theirs.LARS(groups, **their), [1.0, 0.1], grads)
    step = (plain['bias'] - wanted['bias']).norm()
    assert (twice['bias'] - plain['bias']).norm() > step  # 0.9 of the last rate, not of this one


def test_it_is_built_from_a_config_and_resumes():
    model = layer()
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='mmmim.OptimWrapper',
            constructor='mmmim.LayerDecayOptimWrapperConstructor',
            optimizer=dict(type='mmmim.LARS', lr=6.4, momentum=0.9, weight_decay=0.0),
        ),
    )
    assert isinstance(wrapper.optimizer, LARS)
    grads = gradients(6)
    train(model, wrapper.optimizer, RATES[:3], grads[:3])
    other = layer()
    other.load_state_dict(model.state_dict())
    again = OPTIMIZERS.build(dict(type='mmmim.LARS', lr=1.0, params=other.parameters()))
    again.load_state_dict(copy.deepcopy(wrapper.optimizer.state_dict()))
    found, wanted = (
        train(each, optimizer, RATES[3:], grads[3:])
        for each, optimizer in ((other, again), (model, wrapper.optimizer))
    )
    for name in wanted:
        assert torch.equal(found[name], wanted[name])


@pytest.mark.parametrize('wrong', [dict(lr=-1.0), dict(lr=1.0, momentum=1.0)])
def test_values_outside_their_range(wrong):
    with pytest.raises(ValueError, match=r'LARS: .* got'):
        LARS(layer().parameters(), **wrong)
