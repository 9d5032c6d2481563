"""The moving average: against a loop, under accumulation, before and after, over a resume."""

import copy
import math

import pytest
import torch
import torch.nn as nn
from mmcv.cnn.bricks import DropPath
from mmengine.logging import MessageHub
from mmengine.model import BaseModel, BaseModule

from mmmim.engine.optimizers import OptimWrapper
from mmmim.models.momentum import MomentumEncoder


class Model(BaseModel):
    """An encoder and its average, trained to agree on noise."""

    def __init__(self, **options):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 4, bias=False), nn.BatchNorm1d(4))
        self.average = MomentumEncoder(self.encoder, **options)

    def forward(self, x, mode='loss'):
        return dict(loss=(self.encoder(x) - self.average(x.flip(1))).square().mean())


def wrapper_of(model, accumulation=1):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return OptimWrapper(optimizer, accumulative_counts=accumulation)


def train(model, wrapper, batches):
    """Weights of the encoder after every micro-batch."""
    history = []
    for x in batches:
        model.train_step([x], wrapper)
        history.append([p.detach().clone() for p in model.encoder.parameters()])
    return history


def loop_average(start, history, momenta):
    """The definition, number by number."""
    average = [p.tolist() for p in map(torch.flatten, start)]
    for weights, m in zip(history, momenta):
        new = [p.flatten().tolist() for p in weights]
        average = [
            [m * old + (1 - m) * now for old, now in zip(row, fresh)]
            for row, fresh in zip(average, new)
        ]
    return average


def weights_of(model):
    return [p.flatten().tolist() for p in model.average.module.parameters()]


def close(left, right):
    return all(a == pytest.approx(b, abs=1e-6) for a, b in zip(left, right))


@pytest.fixture
def batches():
    return [torch.randn(8, 4) for _ in range(6)]


@pytest.fixture(autouse=True)
def hub():
    hub = MessageHub.get_current_instance()
    kept = dict(hub.runtime_info)
    hub.runtime_info.clear()
    yield hub
    hub.runtime_info.clear()
    hub.runtime_info.update(kept)


def test_it_averages_once_per_step(batches):
    model = Model(momentum=0.9).train()
    start = [p.detach().clone() for p in model.average.module.parameters()]
    history = train(model, wrapper_of(model), batches)
    assert model.average.count == int(model.average.updates) == 6
    assert close(weights_of(model), loop_average(start, history, [0.9] * 6))


def test_accumulation_counts_optimizer_steps(batches):
    model = Model(momentum=0.9).train()
    wrapper = wrapper_of(model, accumulation=3)
    wrapper.initialize_count_status(model, 0, 6)
    start = [p.detach().clone() for p in model.average.module.parameters()]
    history = train(model, wrapper, batches)
    assert model.average.count == 2
    assert close(weights_of(model), loop_average(start, [history[2], history[5]], [0.9] * 2))


@pytest.mark.parametrize('when, first', [('after', 0), ('before', 1)])
def test_the_cosine_rises_to_one(batches, hub, when, first):
    hub.update_info('max_iters', 12)
    hub.update_info('max_updates', 6)
    model = Model(momentum=0.5, schedule='cosine', when=when).train()
    start = [p.detach().clone() for p in model.average.module.parameters()]
    history = train(model, wrapper_of(model), batches)
    momenta = [1 - 0.5 * (math.cos(math.pi * k / 6) + 1) / 2 for k in range(first, first + 6)]
    assert (momenta[-1] == 1) is (when == 'before')
    assert close(weights_of(model), loop_average(start, history, momenta))
    assert model.average.current_momentum() == 1


def test_a_copy_before_the_next_forward_is_the_copy_after_the_step(batches):
    """What 'before' means by the letter: averaged at the start of each forward pass."""
    model, letter = Model(momentum=0.9).train(), Model(momentum=0.9).train()
    letter.load_state_dict(model.state_dict())
    train(model, wrapper_of(model), batches)
    optimizer = torch.optim.SGD(letter.encoder.parameters(), lr=0.1, momentum=0.9)
    teacher = copy.deepcopy(letter.encoder)
    for x in batches:
        for mine, theirs in zip(teacher.parameters(), letter.encoder.parameters()):
            mine.data.mul_(0.9).add_(theirs.data, alpha=0.1)
        with torch.no_grad():
            target = teacher(x.flip(1))
        optimizer.zero_grad()
        (letter.encoder(x) - target).square().mean().backward()
        optimizer.step()
    for left, right in zip(model.encoder.parameters(), letter.encoder.parameters()):
        torch.testing.assert_close(left, right)


@pytest.mark.parametrize('options', [{}, {'schedule': 'cosine', 'buffers': 'average'}])
def test_resume_is_exact(batches, hub, options):
    hub.update_info('max_updates', 6)
    model = Model(momentum=0.9, **options).train()
    wrapper = wrapper_of(model)
    train(model, wrapper, batches[:3])
    states = copy.deepcopy(model.state_dict()), copy.deepcopy(wrapper.state_dict())
    train(model, wrapper, batches[3:])

    resumed = Model(momentum=0.9, **options).train()
    wrapper = wrapper_of(resumed)
    resumed.load_state_dict(states[0])
    wrapper.load_state_dict(states[1])
    train(resumed, wrapper, batches[3:])
    assert resumed.average.count == 6
    for (name, left), right in zip(model.state_dict().items(), resumed.state_dict().values()):
        assert torch.equal(left, right), name


@pytest.mark.parametrize('policy', ['own', 'copy', 'average'])
def test_buffers(batches, policy):
    model = Model(momentum=0.75, buffers=policy).train()
    model.average.eval()  # so that it collects nothing itself
    model.average.module[1].running_mean.fill_(4.0)
    train(model, wrapper_of(model), batches[:1])
    mine, theirs = (part[1].running_mean for part in (model.average.module, model.encoder))
    expected = {'own': torch.full((4,), 4.0), 'copy': theirs, 'average': 3.0 + 0.25 * theirs}
    torch.testing.assert_close(mine, expected[policy])
    counted = int(model.average.module[1].num_batches_tracked)
    assert counted == (0 if policy == 'own' else 1)


def test_momentum_zero_makes_no_copy(batches):
    model = Model(momentum=0).train()
    assert not any('average' in name for name in model.state_dict())
    assert model.average(batches[0]).requires_grad is False
    train(model, wrapper_of(model), batches)
    model.eval()
    assert torch.equal(model.average(batches[0]), model.encoder(batches[0]))


def test_it_is_neither_trained_nor_saved_twice(batches):
    model = Model(momentum=0.9)
    names = {name for name, p in model.named_parameters() if p.requires_grad}
    assert names == {f'encoder.{name}' for name, _ in model.encoder.named_parameters()}
    assert len(model.state_dict()) == 2 * len(model.encoder.state_dict()) + 1
    assert not model.average(batches[0]).requires_grad


def test_an_optimizer_of_something_else_does_nothing(batches):
    model, other = Model(momentum=0.9), Model(momentum=0.9)
    train(other, wrapper_of(other), batches)
    assert model.average.count == 0 and other.average.count == 6


def test_a_copied_model_follows_its_own_optimizer(batches):
    model = Model(momentum=0.9)
    twin = copy.deepcopy(model)
    train(twin, wrapper_of(twin), batches)
    assert twin.average.source is twin.encoder
    assert model.average.count == 0 and twin.average.count == 6
    assert close(weights_of(model), [p.flatten().tolist() for p in model.encoder.parameters()])


def test_initialisation_starts_from_the_source():
    class Whole(BaseModule):
        def __init__(self):
            cfg = dict(type='Constant', layer='Linear', val=3.0)
            super().__init__()
            self.encoder = BaseModule(init_cfg=cfg)
            self.encoder.linear = nn.Linear(2, 2)
            self.average = MomentumEncoder(self.encoder)

    model = Whole()
    model.init_weights()
    assert model.average.module.linear.weight.unique().tolist() == [3.0]


def test_stochastic_depth_can_stay_with_the_source():
    source = nn.Sequential(nn.Linear(2, 2), DropPath(0.5))
    assert MomentumEncoder(source).module[1].drop_prob == 0.5
    assert MomentumEncoder(source, drop_path=False).module[1].drop_prob == 0.0
    assert source[1].drop_prob == 0.5


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(momentum=1.5), r'in \[0, 1\]; got 1.5'),
        (dict(schedule='linear'), 'schedule must be one of'),
        (dict(when='never'), 'when must be one of'),
        (dict(buffers='none'), 'buffers must be one of'),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        MomentumEncoder(nn.Linear(2, 2), **options)
