import math

import pytest
import torch
from lightly.loss import DINOLoss, IBOTPatchLoss

from mmmim.models.losses import (
    MaskedSelfDistillationLoss,
    SelfDistillationLoss,
    self_distillation,
)

N, K = 3, 7


def scores(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def softmax(values, temp, center=None):
    exps = [math.exp((v - (center[k] if center else 0)) / temp) for k, v in enumerate(values)]
    return [e / sum(exps) for e in exps]


def cross_entropy(teacher, student, teacher_temp, center):
    p = softmax(teacher, teacher_temp, center)
    q = softmax(student, 0.1)
    return -sum(pk * math.log(qk) for pk, qk in zip(p, q))


def loop_dino(student, teacher, temps, center):
    """Every teacher view against every other view, sample by sample."""
    terms = []
    for t in range(len(teacher)):
        for v in range(len(student)):
            if v == t:
                continue
            for n in range(N):
                a, b = teacher[t][n].tolist(), student[v][n].tolist()
                terms.append(cross_entropy(a, b, temps[n], center))
    return sum(terms) / len(terms)


@pytest.mark.parametrize('views', [2, 5])
def test_all_pairs_of_different_views(views):
    loss = SelfDistillationLoss(K, teacher_temp=(0.04, 0.07), warmup_epochs=3)
    loss.center.mean.copy_(scores(K, seed=4) * 0.1)
    student, teacher = scores(views, N, K), scores(2, N, K, seed=1) * 0.2
    epoch = torch.tensor([0, 1, 9])
    ours = loss(student.float(), loss.assign(teacher.float(), epoch))
    temps = [0.04, 0.055, 0.07]
    expected = loop_dino(student, teacher, temps, loss.center.mean.tolist())
    assert ours.item() == pytest.approx(expected, rel=1e-4)
    assert ours.dtype == torch.float32


def test_equals_lightly_over_steps_with_its_center():
    """Three steps: loss, gradient and centre."""
    ours = SelfDistillationLoss(K, teacher_temp=(0.04, 0.07), warmup_epochs=4)
    theirs = DINOLoss(K, warmup_teacher_temp=0.04, teacher_temp=0.07, warmup_teacher_temp_epochs=4)
    for step in range(3):
        student = scores(4, N, K, seed=step).float().requires_grad_()
        teacher = scores(2, N, K, seed=10 + step).float()
        epoch = torch.full((N,), step)
        loss = ours(student, ours.assign(teacher, epoch))
        (grad,) = torch.autograd.grad(loss, student)
        other = theirs(list(teacher), list(student), epoch=step)
        (expected,) = torch.autograd.grad(other, student)
        torch.testing.assert_close(loss, other, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(grad, expected, rtol=1e-4, atol=1e-6)
        ours.center.after_step()
        torch.testing.assert_close(ours.center.mean, theirs.center[0, 0], rtol=1e-5, atol=1e-7)


def test_temperature_equals_the_published_schedule():
    """numpy.linspace over the warm-up, then constant."""
    loss = SelfDistillationLoss(K, teacher_temp=(0.04, 0.07), warmup_epochs=30)
    table = torch.cat([torch.linspace(0.04, 0.07, 30), torch.full((20,), 0.07)])
    torch.testing.assert_close(loss.temperature(torch.arange(50)), table, rtol=1e-6, atol=0)
    for epochs in (0, 1):
        loss = SelfDistillationLoss(K, teacher_temp=(0.04, 0.07), warmup_epochs=epochs)
        first = loss.temperature(torch.arange(3))
        expected = [0.07 if epoch >= epochs else 0.04 for epoch in range(3)]
        torch.testing.assert_close(first, torch.tensor(expected))


def test_center_moves_once_per_step_by_the_mean_of_its_micro_batches():
    loss = SelfDistillationLoss(K, center_momentum=0.9)
    parts, epoch = scores(4, 2, N, K).float(), torch.zeros(N, dtype=torch.long)
    for part in parts:
        loss.assign(part, epoch)
        assert not loss.center.mean.any()
    loss.center.after_step()
    torch.testing.assert_close(loss.center.mean, 0.1 * parts.mean((0, 1, 2)))
    before = loss.center.mean.clone()
    loss.center.after_step()  # a step of which it has seen nothing
    assert torch.equal(loss.center.mean, before)
    loss.eval().assign(parts[0], epoch)
    loss.center.after_step()
    assert torch.equal(loss.center.mean, before)


def test_center_is_the_mean_over_all_processes(monkeypatch):
    mine, theirs = scores(2, N, K).float(), scores(2, N, K, seed=1).float()

    def reduce(tensor, op):
        assert op == 'mean'
        tensor.copy_((tensor + theirs.mean((0, 1))) / 2)

    monkeypatch.setattr(self_distillation, 'all_reduce', reduce)
    loss = SelfDistillationLoss(K)
    loss.assign(mine, torch.zeros(N, dtype=torch.long))
    loss.center.after_step()
    torch.testing.assert_close(loss.center.mean, 0.1 * torch.cat([mine, theirs]).mean((0, 1)))


def test_center_follows_the_optimizer_of_its_leader_alone():
    leader, stranger = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    loss = SelfDistillationLoss(K)
    loss.center.follow(leader)
    loss.assign(scores(2, N, K).float() + 1, torch.zeros(N, dtype=torch.long))
    for module, moves in [(stranger, False), (leader, True)]:
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        module(torch.ones(1, 2)).sum().backward()
        optimizer.step()
        assert bool(loss.center.mean.any()) is moves


def test_patches_of_the_same_view_by_loops():
    loss = MaskedSelfDistillationLoss(K, teacher_temp=(0.04, 0.07), warmup_epochs=3)
    loss.center.mean.copy_(scores(K, seed=4) * 0.1)
    student, teacher = scores(2, N, 5, K), scores(2, N, 5, K, seed=1) * 0.2
    hidden = torch.tensor(
        [[[1, 0, 0, 1, 0], [0] * 5, [1] * 5], [[0, 0, 0, 0, 1], [1, 1, 0, 0, 0], [0] * 5]]
    ).bool()
    epoch = torch.tensor([0, 1, 9])
    ours = loss(student.float(), loss.assign(teacher.float(), epoch), hidden)
    per_image = []
    for view in range(2):
        for n, temp in enumerate([0.04, 0.055, 0.07]):
            terms = [
                cross_entropy(
                    teacher[view, n, cell].tolist(),
                    student[view, n, cell].tolist(),
                    temp,
                    loss.center.mean.tolist(),
                )
                for cell in range(5)
                if hidden[view, n, cell]
            ]
            per_image.append(sum(terms) / max(len(terms), 1))
    assert ours.item() == pytest.approx(sum(per_image) / 6, rel=1e-4)


def test_patches_equal_lightly():
    ours, theirs = MaskedSelfDistillationLoss(K, warmup_epochs=0), IBOTPatchLoss(K, 0.07)
    student, teacher = scores(1, N, 4, K).float(), scores(1, N, 4, K, seed=1).float()
    hidden = torch.tensor([[1, 0, 0, 1], [0, 1, 1, 1], [0, 0, 0, 0]]).bool()
    epoch = torch.zeros(N, dtype=torch.long)
    loss = ours(student, ours.assign(teacher, epoch), hidden[None])
    other = theirs(teacher[0][hidden], student[0][hidden], hidden.view(N, 2, 2))
    torch.testing.assert_close(loss, other, rtol=1e-5, atol=1e-6)
    ours.center.after_step()  # over all patches, as the paper's code; lightly's sees masked ones
    torch.testing.assert_close(ours.center.mean, 0.1 * teacher.mean((0, 1, 2)))


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(student_temp=0), 'student_temp=0'),
        (dict(teacher_temp=(0.04, -1)), 'must be positive'),
        (dict(warmup_epochs=-1), 'warmup_epochs=-1'),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        SelfDistillationLoss(K, **options)
