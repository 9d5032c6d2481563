import math

import pytest
import torch

from mmmim.evaluation import knn_predict


def loop_reference(bank, labels, queries, k, temperature):
    """The vote, written from its formula, one query and one neighbour at a time."""
    found = []
    for query in queries.tolist():
        length = math.sqrt(sum(v * v for v in query))
        similar = []
        for row, label in zip(bank.tolist(), labels.tolist()):
            dot = sum(a * b for a, b in zip(query, row))
            similar.append((dot / (length * math.sqrt(sum(v * v for v in row))), label))
        votes = {}
        for similarity, label in sorted(similar, reverse=True)[:k]:
            votes[label] = votes.get(label, 0.0) + math.exp(similarity / temperature)
        found.append(max(votes, key=votes.get))
    return found


def example(seed=0):
    generator = torch.Generator().manual_seed(seed)
    bank = torch.randn(60, 5, generator=generator) * torch.rand(60, 1, generator=generator).exp()
    labels = torch.randint(0, 4, (60,), generator=generator)
    return bank, labels, torch.randn(40, 5, generator=generator)


@pytest.mark.parametrize('k, temperature', [(20, 0.07), (1, 0.07), (60, 1.0)])
def test_equals_a_loop(k, temperature):
    data = example()
    assert knn_predict(*data, k, temperature).tolist() == loop_reference(*data, k, temperature)


def test_temperature_and_count_matter():
    """One close neighbour against two farther ones: near T = 0 closeness wins, above it number."""
    bank = torch.tensor([[1.0, 0.05], [1.0, 0.5], [1.0, 0.5]])
    labels, query = torch.tensor([1, 0, 0]), torch.tensor([[3.0, 0.0]])
    assert knn_predict(bank, labels, query, k=3, temperature=0.02).tolist() == [1]
    assert knn_predict(bank, labels, query, k=3, temperature=1.0).tolist() == [0]
    assert knn_predict(bank, labels, query, k=1, temperature=1.0).tolist() == [1]


def test_length_of_features_does_not_matter():
    bank, labels, queries = example(1)
    scaled = knn_predict(bank * torch.arange(1, 61).unsqueeze(1), labels, queries * 100)
    assert torch.equal(scaled, knn_predict(bank, labels, queries))


def test_equals_lightly():
    knn = pytest.importorskip('lightly.utils.benchmarking.knn')
    bank, labels, queries = example(2)
    normal = torch.nn.functional.normalize
    theirs = knn.knn_predict(normal(queries), normal(bank).T, labels, 4, knn_k=20, knn_t=0.07)
    assert torch.equal(knn_predict(bank, labels, queries), theirs[:, 0])


def test_more_neighbours_than_features_is_an_error():
    bank, labels, queries = example()
    with pytest.raises(ValueError, match='k = 61 neighbours of 60'):
        knn_predict(bank, labels, queries, k=61)
    with pytest.raises(ValueError, match='temperature'):
        knn_predict(bank, labels, queries, temperature=0)
