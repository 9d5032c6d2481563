"""Masks drawn on the patch grid."""

import torch
from torch import Tensor

from mmmim.registry import MODELS

from .. import tokens
from ..randomness import counter_bits, run_seed
from .base import Corrupted, Corruption, check_mask


def count_masked(num_cells: int, mask_ratio: float, num_masked: int | None = None) -> int:
    """Number of masked cells; an integer given by the user wins over the ratio.

    MAE (arXiv:2111.06377) keeps ``int(L * (1 - r))`` cells and masks the rest.

    Raises:
        ValueError: If nothing or everything would be masked, or more than there is.
    """
    count = num_cells - int(num_cells * (1 - mask_ratio)) if num_masked is None else num_masked
    if not 0 < count < num_cells:
        asked = f'mask_ratio {mask_ratio}' if num_masked is None else f'num_masked {num_masked}'
        raise ValueError(
            f'{asked} hides {count} of {num_cells} cells, but at least one cell must be hidden and '
            f'one visible: choose a ratio in (0, 1) or num_masked in 1..{num_cells - 1}.'
        )
    return count


@MODELS.register_module()
class RandomMasking(Corruption):
    """Hide a fixed number of cells, uniformly at random.

    MAE, arXiv:2111.06377, section 3. The mask is a function of (seed, epoch, sample index).

    Args:
        patch_size (int): Side of a cell in pixels.
        mask_ratio (float): Share of hidden cells; ``int(L * (1 - mask_ratio))`` stay visible.
        num_masked (int, optional): Number of hidden cells, instead of the ratio.
        seed (int, optional): Seed of the masks; by default that of the run.

    Raises:
        ValueError: If the patch does not divide the image, or the count does not fit the grid.
    """

    def __init__(self, patch_size=16, mask_ratio=0.75, num_masked=None, seed=None):
        super().__init__()
        self.patch_size = patch_size
        self.mask_ratio, self.num_masked = mask_ratio, num_masked
        self.seed = seed

    def forward(self, views, mask=None):
        images = views['image']
        grid = tokens.exact_grid(images.shape[-2:], self.patch_size)
        mask = self.draw(views, grid) if mask is None else check_mask(mask, len(images), grid)
        return Corrupted(images, mask)

    def draw(self, views: dict, grid) -> Tensor:
        """Masks of a batch: (N, Gh, Gw) bool."""
        length = grid[0] * grid[1]
        count = count_masked(length, self.mask_ratio, self.num_masked)
        bits = counter_bits(run_seed(self.seed), views['epoch'], views['sample_index'], length)
        hidden = bits.argsort(dim=1)[:, length - count :]
        mask = torch.zeros_like(bits, dtype=torch.bool).scatter_(1, hidden, True)
        return tokens.stamp(mask.reshape(-1, *grid), count)
