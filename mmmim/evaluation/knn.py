"""Nearest-neighbour classification of frozen features.

mmpretrain and torch have none; the one of lightly, a dependency of the tests, is what the tests
compare with.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 256  # queries at a time: 1.3 GB of similarities to the images of ImageNet


def knn_predict(
    bank: Tensor, labels: Tensor, queries: Tensor, k: int = 20, temperature: float = 0.07
) -> Tensor:
    """Weighted vote of the ``k`` nearest labelled features by cosine similarity.

    A neighbour votes ``exp(similarity / temperature)`` for its class (Wu et al. 2018,
    arXiv:1805.01978, section 3.4). k = 20 and T = 0.07 are the defaults of facebookresearch/dino's
    eval_knn.py; none of the toolkit's four papers gives values [ours].

    Args:
        bank: (M, D) features, of any length, on the device that is to work.
        labels: (M,) int64, 0..C-1.
        queries: (N, D).
        k: Neighbours.
        temperature: Above 0.

    Returns:
        (N,) int64 classes on that device; a draw goes to the smallest.

    Raises:
        ValueError: If the bank has fewer than ``k`` features, or ``temperature`` is not positive.
    """
    if not 1 <= k <= len(bank):
        raise ValueError(
            f'k = {k} neighbours of {len(bank)} labelled features: take 1..{len(bank)}.'
        )
    if temperature <= 0:
        raise ValueError(f'temperature must be above 0, got {temperature}.')
    bank = F.normalize(bank.float(), dim=1)
    num_classes = int(labels.max()) + 1
    found = []
    labels = labels.to(bank.device)
    for part in F.normalize(queries.to(bank).float(), dim=1).split(CHUNK):
        similarity, nearest = (part @ bank.T).topk(k, dim=1)  # (n, k)
        votes = similarity.new_zeros(len(part), num_classes, dtype=torch.float64)
        # A common factor exp(-1 / T) changes no vote and keeps small temperatures from overflowing.
        weights = ((similarity.double() - 1) / temperature).exp()
        found.append(votes.scatter_add_(1, labels[nearest], weights).argmax(dim=1))
    return torch.cat(found)
