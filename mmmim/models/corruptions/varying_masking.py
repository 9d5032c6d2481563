"""Masks whose ratio is drawn for each sample, nothing hidden included."""

import math

import torch

from mmmim.registry import MODELS

from .. import tokens
from ..randomness import counter_bits, counter_uniform, on_host, run_seed
from .base import Corrupted
from .block_masking import BlockMasking

_RATIO, _CELLS = 50, 51  # streams


@MODELS.register_module()
class VaryingMasking(BlockMasking):
    """Hide a share of the cells that differs from sample to sample.

    iBOT (arXiv:2111.07832, section 3.3 and its loader): the ratio is one of ``ratios``, each with
    its half-width, uniform in between; cells are hidden in blocks that may fall short of it, or one
    by one. Masks are functions of (seed, epoch, sample index).

    Args:
        patch_size (int): Side of a cell in pixels.
        ratios (Sequence[tuple]): (centre, half-width) pairs, equally likely. iBOT: nothing, or
            0.1 to 0.5.
        blocks (bool): Rectangles (:class:`BlockMasking` with BEiT's end), or single cells.
        min_patches (int): Smallest area of a block. iBOT: the square of a third of the grid's
            shorter side, 16 of 14 x 14.
        aspect (tuple): Range of height / width of a block.
        seed (int, optional): Seed of the masks; by default that of the run.

    Raises:
        ValueError: If a ratio may leave [0, 1) or none is above 0, or an option of
            :class:`BlockMasking` is out of range.
    """

    exact_count = False

    def __init__(
        self,
        patch_size=16,
        ratios=((0.0, 0.0), (0.3, 0.2)),
        blocks=True,
        min_patches=16,
        aspect=(0.3, 1 / 0.3),
        seed=None,
    ):
        super().__init__(
            patch_size,
            min_patches=min_patches,
            aspect=aspect,
            exact_count=False,
            seed=seed,
        )
        ends = [end for centre, half in ratios for end in (centre - half, centre + half)]
        if not ends or min(ends) < 0 or max(ends) >= 1 or max(ends) == 0:
            raise ValueError(
                f'VaryingMasking: ratios={[tuple(pair) for pair in ratios]} must be (centre, '
                'half-width) pairs within [0, 1), one of them above 0.'
            )
        self.ratios, self.blocks = [tuple(pair) for pair in ratios], blocks
        self.uniform = not blocks

    def most_masked(self, num_cells: int) -> int:
        """The largest number of cells that a sample can hide."""
        return max(int(num_cells * (centre + half)) for centre, half in self.ratios)

    def counts(self, views: dict, num_cells: int) -> torch.Tensor:
        """The number of cells that each sample is to hide: (N,) int64 on the CPU."""
        numbers = counter_uniform(
            run_seed(self.seed),
            on_host(views['epoch']),
            on_host(views['sample_index']),
            2,
            _RATIO,
            device='cpu',
        )
        pairs = torch.tensor(self.ratios)[(numbers[:, 0] * len(self.ratios)).long()]
        ratio = pairs[:, 0] + (2 * numbers[:, 1] - 1) * pairs[:, 1]
        return (num_cells * ratio).long()

    def forward(self, views, mask=None):
        images = views['image']
        grid = tokens.exact_grid(images.shape[-2:], self.patch_size)
        if mask is None:
            mask = self.draw(views, grid)
        return Corrupted(images, mask)

    def draw(self, views, grid):
        """Masks of a batch: (N, Gh, Gw) bool, on the device of the images."""
        counts = self.counts(views, math.prod(grid))
        if self.blocks:
            return self.draw_blocks(views, grid, counts.tolist())
        bits = counter_bits(
            run_seed(self.seed), views['epoch'], views['sample_index'], math.prod(grid), _CELLS
        )
        rank = bits.argsort(dim=1).argsort(dim=1)
        return (rank < counts.to(rank.device).unsqueeze(1)).reshape(-1, *grid)
