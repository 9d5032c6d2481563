"""Linear classification of frozen features that were computed once.

The papers train the same model, BatchNorm without affine parameters and a linear layer, by LARS on
augmented images. On cached features of one view it is a convex problem: L-BFGS solves it exactly,
without a learning rate, a seed or an order of batches, and BatchNorm over the whole set is
standardisation. What is left to choose is the weight decay.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

DECAYS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
EPS = 1e-6  # of the BatchNorm in facebookresearch/mae's main_linprobe.py


class LinearProbe(NamedTuple):
    """Standardisation and a linear layer.

    Attributes:
        mean: (D,) of the training features.
        scale: (D,) 1 / sqrt(biased variance + 1e-6), as BatchNorm in training.
        weight: (C, D).
        bias: (C,).
    """

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """(N, D) -> (N, C), float64."""
        return (features.double() - self.mean) * self.scale @ self.weight.T + self.bias

    def accuracy(self, features: Tensor, labels: Tensor) -> float:
        """Top-1 in per cent."""
        return 100 * (self.logits(features).argmax(1) == labels).double().mean().item()


def fit_linear_probe(features: Tensor, labels: Tensor, decay: float) -> LinearProbe:
    """Minimise mean cross-entropy + decay / 2 * |weight|^2; the bias is not penalised.

    Args:
        features: (N, D).
        labels: (N,) int64, 0..C-1.
        decay: Above 0, so that the minimum exists on separable classes too.
    """
    if decay <= 0:
        raise ValueError(f'decay must be above 0, got {decay}: without it there may be no minimum.')
    x = features.double()
    mean = x.mean(0)
    scale = (x.var(0, unbiased=False) + EPS).rsqrt()
    x = (x - mean) * scale
    num_classes = int(labels.max()) + 1
    weight = torch.zeros(num_classes, x.shape[1], dtype=x.dtype, requires_grad=True)
    bias = torch.zeros(num_classes, dtype=x.dtype, requires_grad=True)
    options = dict(max_iter=500, tolerance_grad=1e-7, tolerance_change=1e-12, history_size=20)
    solver = torch.optim.LBFGS([weight, bias], line_search_fn='strong_wolfe', **options)

    def objective():
        solver.zero_grad()
        loss = F.cross_entropy(x @ weight.T + bias, labels) + decay / 2 * weight.square().sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        solver.step(objective)
    return LinearProbe(mean, scale, weight.detach(), bias.detach())


def choose_linear_probe(train, tune, decays=DECAYS) -> tuple[LinearProbe, float, dict]:
    """The probe whose weight decay is best on the tune split; a draw goes to the stronger decay.

    Args:
        train: Features (N, D) and labels (N,) to fit.
        tune: The same to choose on.
        decays: Candidates.

    Returns:
        (probe, its decay, decay -> accuracy on the tune split in per cent).
    """
    probes = {decay: fit_linear_probe(*train, decay) for decay in decays}
    tried = {decay: probe.accuracy(*tune) for decay, probe in probes.items()}
    best = max(tried, key=lambda decay: (tried[decay], decay))
    return probes[best], best, tried
