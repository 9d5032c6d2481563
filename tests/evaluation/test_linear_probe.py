import numpy as np
import pytest
import torch

from mmmim.evaluation import choose_linear_probe, fit_linear_probe


def example(n=120, seed=0, noise=1.0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    centres = torch.tensor([[2.0, 0, 0, 1], [0, 2, 0, -1], [0, 0, 2, 0]])
    features = centres[labels] + noise * torch.randn(n, 4, generator=generator)
    return features * torch.tensor([1.0, 10.0, 0.1, 3.0]) + 5, labels


def test_is_the_minimum_of_the_stated_objective():
    """Gradient by the formula, softmax minus one-hot, in NumPy on features standardised here."""
    features, labels = example()
    decay = 1e-2
    probe = fit_linear_probe(features, labels, decay)
    x = features.double().numpy()
    x = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-6)
    logits = x @ probe.weight.numpy().T + probe.bias.numpy()
    assert np.allclose(logits, probe.logits(features).numpy(), atol=1e-9)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    excess = (p - np.eye(3)[labels.numpy()]) / len(x)
    assert np.abs(excess.T @ x + decay * probe.weight.numpy()).max() < 1e-6
    assert np.abs(excess.sum(0)).max() < 1e-6
    assert probe.weight.abs().max() > 0.1


def test_affine_changes_of_the_features_change_nothing():
    features, labels = example()
    moved = features * 7 - 100
    for decay in (1e-3, 1.0):
        first, second = (fit_linear_probe(x, labels, decay) for x in (features, moved))
        assert torch.allclose(first.logits(features), second.logits(moved), atol=1e-4)


def test_decay_is_chosen_on_tune_and_a_draw_goes_to_the_stronger():
    train, tune = example(60, noise=2.0), example(200, seed=1, noise=2.0)
    probe, best, tried = choose_linear_probe(train, tune)
    assert tried[best] == max(tried.values()) == probe.accuracy(*tune)
    assert best == max(decay for decay, value in tried.items() if value == tried[best])
    flipped = (tune[0], (tune[1] + 1) % 3)
    assert choose_linear_probe(train, flipped)[2] != tried


def test_separable_classes_have_a_minimum_too():
    features, labels = example(noise=0.01)
    assert fit_linear_probe(features, labels, 1e-5).accuracy(features, labels) == 100.0
    with pytest.raises(ValueError, match='decay must be above 0'):
        fit_linear_probe(features, labels, 0.0)
