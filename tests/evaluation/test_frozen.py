"""The frozen protocols: what is chosen, on what, and that an encoder's splits are read once."""

import pytest
import torch
from mmengine.config import ConfigDict
from torch import nn

from mmmim.evaluation import features, frozen, knn_predict


def split(count, seed, noise):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    return torch.eye(3)[labels] + noise * torch.randn(count, 3, generator=generator), labels


SPLITS = dict(train=split(60, 0, 0.8), tune=split(90, 1, 0.8), val=split(90, 2, 0.8))


@pytest.fixture
def evaluate(monkeypatch):
    monkeypatch.setattr(frozen, 'extract_features', lambda *args: SPLITS)
    return lambda **options: frozen.evaluate_frozen(None, nn.Linear(1, 1), **options)


def accuracy(name, k, temperature=0.07):
    found = knn_predict(*SPLITS['train'], SPLITS[name][0], k, temperature)
    return 100 * (found == SPLITS[name][1]).double().mean().item()


def test_neighbours_are_chosen_on_the_tune_split(evaluate):
    result = evaluate(protocols=['knn'], neighbours=(1, 5, 20, 60))
    assert result['knn_tried'] == {str(k): accuracy('tune', k) for k in (1, 5, 20, 60)}
    best = max((1, 5, 20, 60), key=lambda k: (accuracy('tune', k), -k))
    assert result['knn_k'] == best != 1
    assert result['tune'] == dict(knn=accuracy('tune', best))
    assert result['val'] == dict(knn=accuracy('val', best))


def test_by_default_twenty_and_both_protocols(evaluate):
    result = evaluate()
    assert (result['knn_k'], result['val']['knn']) == (20, accuracy('val', 20))
    assert set(result['tune']) == set(result['val']) == {'knn', 'lin'}
    warm = evaluate(protocols=['knn'], neighbours=(60,), temperature=10.0)
    assert warm['val']['knn'] == accuracy('val', 60, 10.0) != accuracy('val', 60)


def test_what_cannot_be(evaluate):
    with pytest.raises(ValueError, match="unknown protocol 'att'"):
        evaluate(protocols=['knn', 'att'])
    with pytest.raises(ValueError, match='61 neighbours of 60'):
        evaluate(protocols=['knn'], neighbours=(20, 61))


@pytest.mark.parametrize('same', [True, False])
def test_a_data_set_without_a_tune_split_is_read_once(monkeypatch, same):
    loader = dict(batch_size=2, dataset=dict(type='ImageNet', split='val'))
    other = loader if same else dict(loader, dataset=dict(type='ImageNet', split='test'))
    cfg = ConfigDict(model={}, data_preprocessor={}, val_dataloader=loader, test_dataloader=other)
    read = []

    def batches(cfg, name):
        read.append(name)
        return []

    monkeypatch.setattr(features, 'split_loader', batches)
    monkeypatch.setattr(features.torch, 'cat', lambda parts: torch.zeros(0))
    found = features.extract_features(cfg, nn.Linear(1, 1), 'mean')
    assert set(found) == {'train', 'tune', 'val'}
    assert read == (['train', 'tune'] if same else ['train', 'tune', 'val'])
