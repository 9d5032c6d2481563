"""InfoNCE and BYOL's distance against loops written from Eqs. (9) and (10)."""

import math

import pytest
import torch
import torch.distributed as dist

from mmmim.models.losses import CosineDistanceLoss, InfoNCELoss
from mmmim.models.losses import contrastive as module

N, K, D = 5, 3, 4


def similarity(q, k):
    """Eq. (10), heads applied: the cosine of two vectors, in Python floats."""
    dot = sum(a * b for a, b in zip(q, k))
    return dot / math.sqrt(sum(a * a for a in q)) / math.sqrt(sum(b * b for b in k))


def loop_infonce(query, key, tau, cells=None, key_cells=None):
    """Eq. (9) for every token index of every sample, negatives of the same index, times 2 tau."""
    losses = []
    samples, count = query.shape[:2]
    for n in range(samples):
        for t in range(count):
            if cells is not None and not cells[n, t]:
                continue
            others = [m for m in range(len(key)) if key_cells is None or key_cells[m, t]]
            terms = {
                m: math.exp(similarity(query[n, t].tolist(), key[m, t].tolist()) / tau)
                for m in others
            }
            losses.append(-math.log(terms[n] / sum(terms.values())))
    return 2 * tau * sum(losses) / len(losses)


@pytest.fixture
def pair():
    return torch.randn(N, K, D), torch.randn(N, K, D)


@pytest.fixture
def held():
    cells = torch.rand(N, K) < 0.5
    cells[0, 0], cells[1, 1] = True, False
    return cells, cells | (torch.rand(N, K) < 0.5)


@pytest.mark.parametrize('tau', [0.2, 1.0])
def test_infonce_equals_the_loop(pair, tau):
    loss = InfoNCELoss(temperature=tau)(*pair)
    assert loss.item() == pytest.approx(loop_infonce(*pair, tau), rel=1e-5)


def test_infonce_of_some_tokens_equals_the_loop(pair, held):
    loss = InfoNCELoss()(*pair, *held)
    assert loss.item() == pytest.approx(loop_infonce(*pair, 0.2, *held), rel=1e-5)


def test_infonce_of_vectors_equals_one_token(pair):
    query, key = (side[:, :1] for side in pair)
    loss = InfoNCELoss()(query[:, 0], key[:, 0])
    assert loss.item() == pytest.approx(loop_infonce(query, key, 0.2), rel=1e-5)


def test_the_printed_equation_has_no_factor(pair):
    torch.testing.assert_close(InfoNCELoss(scale=1.0)(*pair) * 0.4, InfoNCELoss()(*pair))


def test_tokens_of_other_indices_and_cells_not_held_are_no_negatives(pair, held):
    query, key = pair
    loss, (cells, key_cells) = InfoNCELoss(), held
    key_cells[:, 2] = cells[:, 2] = False
    before = loss(query, key, cells, key_cells)
    key[~key_cells], query[~cells] = 100.0, -100.0
    torch.testing.assert_close(loss(query, key, cells, key_cells), before)
    query.requires_grad_()
    loss(query, key, cells, key_cells).backward()
    assert query.grad.isfinite().all()
    assert torch.equal(query.grad.abs().sum(-1) > 0, cells)


def test_byol_equals_the_loop(pair, held):
    query, key = pair
    values = [
        [2 - 2 * similarity(q, k) for q, k in zip(a, b)]
        for a, b in zip(query.tolist(), key.tolist())
    ]
    everything = [v for row in values for v in row]
    loss = CosineDistanceLoss()
    assert loss(query, key).item() == pytest.approx(sum(everything) / (N * K), rel=1e-5)
    some = [values[n][t] for n in range(N) for t in range(K) if held[0][n, t]]
    assert loss(query, key, *held).item() == pytest.approx(sum(some) / len(some), rel=1e-5)


@pytest.mark.parametrize('loss', [InfoNCELoss(), CosineDistanceLoss()])
def test_keys_get_no_gradient_and_autocast_changes_nothing(loss, pair):
    query, key = (side.bfloat16().requires_grad_() for side in pair)
    exact = loss(query, key)
    with torch.autocast('cpu', torch.bfloat16):
        value = loss(query, key)
    assert value.dtype == torch.float32 and torch.equal(value, exact)
    value.backward()
    assert key.grad is None and query.grad.abs().sum() > 0


def test_two_processes_see_the_keys_of_both(pair, monkeypatch):
    """Losses of two halves of a batch, each with all keys, average to that of the whole."""
    whole = InfoNCELoss()(*pair)
    query, key = (torch.cat([side, side[:1]]) for side in pair)  # 6 samples: halves of 3
    whole = InfoNCELoss()(query, key)
    unit = torch.nn.functional.normalize(key, dim=-1)
    parts = []
    for rank in range(2):
        mine = slice(3 * rank, 3 * rank + 3)
        monkeypatch.setattr(module, 'get_rank', lambda rank=rank: rank)
        monkeypatch.setattr(module, 'all_gather', lambda x: [unit[:3], unit[3:]])
        parts.append(InfoNCELoss()(query[mine], key[mine]))
        alone = InfoNCELoss(gather=False)(query[mine], key[mine])
        assert alone < parts[-1]
    torch.testing.assert_close(torch.stack(parts).mean(), whole)


def test_one_real_process_group(pair, tmp_path):
    before = InfoNCELoss()(*pair)
    dist.init_process_group('gloo', f'file://{tmp_path}/store', world_size=1, rank=0)
    try:
        assert torch.equal(InfoNCELoss()(*pair), before)
    finally:
        dist.destroy_process_group()


def test_the_temperature_is_checked():
    with pytest.raises(ValueError, match='temperature must be positive, got 0'):
        InfoNCELoss(temperature=0)
