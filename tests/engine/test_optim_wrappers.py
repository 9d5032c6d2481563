"""Mixed precision on the CPU, accumulation, clipping without host reads, and resuming."""

import copy

import pytest
import torch
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn

from mmmim.engine.optimizers.wrappers import choose_dtype


def make(model, kind='mmmim.AmpOptimWrapper', **kwargs):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=True)
    return OPTIM_WRAPPERS.build(dict(type=kind, optimizer=optimizer, **kwargs))


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 32), nn.GELU(), nn.Linear(32, 1))


def data(count):
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(count, 16, 8, generator=generator)
    return images, images.sum(-1, keepdim=True)


def train(model, wrapper, images, targets):
    losses = []
    for image, target in zip(images, targets):
        with wrapper.optim_context(model):
            loss = (model(image).float() - target).square().mean()
        wrapper.update_params(loss)
        losses.append(loss.item())
    return losses


def test_bfloat16_step_trains_on_cpu():
    model, wrapper = net(), None
    wrapper = make(model)
    seen = []
    model[0].register_forward_hook(lambda module, args, out: seen.append(out.dtype))
    losses = train(model, wrapper, *data(60))
    assert seen[0] is torch.bfloat16 and model[0].weight.dtype is torch.float32
    assert wrapper.scaler is None and 'loss_scaler' not in wrapper.state_dict()
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize('kind', ['mmmim.OptimWrapper', 'mmmim.AmpOptimWrapper'])
def test_accumulation_equals_the_undivided_batch(kind):
    images, targets = data(4)
    whole, parts = net(), net()
    train(whole, make(whole, kind), images.reshape(2, 32, 8), targets.reshape(2, 32, 1))
    train(parts, make(parts, kind, accumulative_counts=2), images, targets)
    tolerance = (
        1e-6 if kind == 'mmmim.OptimWrapper' else 2e-2
    )  # bfloat16 rounds each part by itself
    for a, b in zip(whole.parameters(), parts.parameters()):
        assert torch.allclose(a, b, atol=tolerance)


def test_clipping_bounds_the_gradient_and_keeps_the_norm_on_the_device():
    model = net()
    wrapper = make(model, 'mmmim.OptimWrapper', clip_grad=dict(max_norm=1e-3))
    images, targets = data(1)
    wrapper.backward((model(images[0]) - 100 * targets[0]).square().mean())
    before = torch.linalg.vector_norm(torch.cat([p.grad.flatten() for p in model.parameters()]))
    wrapper.step()
    after = torch.linalg.vector_norm(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert isinstance(wrapper.last_grad_norm, torch.Tensor)
    assert wrapper.last_grad_norm == pytest.approx(before.item()) and after == pytest.approx(
        1e-3, rel=1e-3
    )


@pytest.mark.parametrize('fused', [True, False])
def test_resume_continues_the_same_run(fused):
    images, targets = data(6)
    straight = net()
    train(straight, make(straight), images, targets)
    first = net()
    wrapper = make(first)
    train(first, wrapper, images[:3], targets[:3])
    saved = copy.deepcopy((first.state_dict(), wrapper.state_dict()))
    second = net()
    optimizer = torch.optim.AdamW(second.parameters(), lr=1e-2, fused=fused)
    resumed = OPTIM_WRAPPERS.build(dict(type='mmmim.AmpOptimWrapper', optimizer=optimizer))
    second.load_state_dict(saved[0])
    resumed.load_state_dict(saved[1])
    train(second, resumed, images[3:], targets[3:])
    assert resumed.optimizer.param_groups[0]['fused']
    for a, b in zip(straight.parameters(), second.parameters()):
        assert torch.equal(a, b)


def test_a_scaler_state_of_another_precision_is_ignored():
    model = net()
    wrapper = make(model)
    state = dict(wrapper.state_dict(), loss_scaler=dict(scale=2.0))
    wrapper.load_state_dict(state)
    assert 'loss_scaler' in state  # the caller's dict stays whole


def test_fused_equals_plain():
    images, targets = data(5)
    models = [net(), net()]
    for model, fused in zip(models, [True, False]):
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, fused=fused)
        wrapper = OPTIM_WRAPPERS.build(dict(type='mmmim.OptimWrapper', optimizer=optimizer))
        train(model, wrapper, images, targets)
    for a, b in zip(*(m.parameters() for m in models)):
        assert torch.allclose(a, b, atol=1e-6)


def test_dtype_choice_and_errors():
    assert choose_dtype('auto', 'cpu') is torch.bfloat16
    assert choose_dtype(torch.bfloat16, 'cuda') is torch.bfloat16
    assert choose_dtype('float16', 'cuda') is torch.float16
    with pytest.raises(ValueError, match='CPU'):
        choose_dtype('float16', 'cpu')
    with pytest.raises(ValueError, match="'float8'"):
        choose_dtype('float8', 'cpu')
    with pytest.raises(TypeError, match='loss_scale'):
        make(net(), loss_scale='big')


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_float16_on_cuda_uses_a_scaler():
    model = net().cuda()
    wrapper = make(model, dtype='float16', clip_grad=dict(max_norm=1.0))
    images, targets = (t.cuda() for t in data(60))
    losses = train(model, wrapper, images, targets)
    assert losses[-1] < losses[0] and wrapper.state_dict()['loss_scaler']['scale'] > 0
