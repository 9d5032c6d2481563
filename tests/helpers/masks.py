"""Masks drawn without the code under test."""

import random

import torch


def random_mask(samples: int, grid: tuple[int, int], count: int, seed: int = 0) -> torch.Tensor:
    """(N, Gh, Gw) bool with ``count`` masked cells per sample, by Python's own shuffling."""
    rng, cells = random.Random(seed), grid[0] * grid[1]
    rows = [set(rng.sample(range(cells), count)) for _ in range(samples)]
    flat = [[cell in hidden for cell in range(cells)] for hidden in rows]
    return torch.tensor(flat).reshape(samples, *grid)


def cells_of(mask: torch.Tensor) -> tuple[list, list]:
    """Row-major indices of the visible and of the masked cells of every sample, by loops."""
    visible, masked = [], []
    for sample in mask.tolist():
        flat = [hidden for row in sample for hidden in row]
        visible.append([cell for cell, hidden in enumerate(flat) if not hidden])
        masked.append([cell for cell, hidden in enumerate(flat) if hidden])
    return visible, masked
