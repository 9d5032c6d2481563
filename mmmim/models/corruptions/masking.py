"""Masks drawn on the patch grid."""

import math

import torch
from torch import Tensor

from mmmim.registry import MODELS

from .. import tokens
from ..randomness import counter_bits, run_seed
from .base import Corrupted, Corruption, check_mask

ROUNDINGS = ('visible', 'masked')


def count_masked(
    num_cells: int, mask_ratio: float, num_masked: int | None = None, rounding: str = 'visible'
) -> int:
    """Number of masked cells; an integer given by the user wins over the ratio.

    MAE (arXiv:2111.06377) keeps ``int(L * (1 - r))`` cells and masks the rest ('visible'); SimMIM
    (arXiv:2111.09886) masks ``ceil(L * r)`` ('masked').

    Raises:
        ValueError: If nothing or everything would be masked, or more than there is.
    """
    if num_masked is not None:
        count = num_masked
    elif rounding == 'visible':
        count = num_cells - int(num_cells * (1 - mask_ratio))
    else:
        count = math.ceil(num_cells * mask_ratio)
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

    MAE, arXiv:2111.06377, section 3; with a ``unit`` of several cells SimMIM, arXiv:2111.09886,
    section 3.2. The mask is a function of (seed, epoch, sample index).

    Args:
        patch_size (int): Side of a cell in pixels.
        mask_ratio (float): Share of hidden cells, or units.
        num_masked (int, optional): Number of hidden cells, instead of the ratio; whole units.
        unit (int, optional): Side in pixels of the squares that are hidden as a whole, a multiple
            of ``patch_size`` (SimMIM: 32); by default single cells.
        rounding (str): 'visible', ``int(L * (1 - mask_ratio))`` of L units stay visible (MAE); or
            'masked', ``ceil(L * mask_ratio)`` are hidden (SimMIM).
        seed (int, optional): Seed of the masks; by default that of the run.

    Raises:
        ValueError: If the patch or unit does not divide the image, the patch the unit or a unit
            ``num_masked``, or the count does not fit the grid.
    """

    def __init__(
        self,
        patch_size=16,
        mask_ratio=0.75,
        num_masked=None,
        unit=None,
        rounding='visible',
        seed=None,
    ):
        super().__init__()
        self.patch_size, self.unit = patch_size, unit or patch_size
        self.mask_ratio, self.num_masked = mask_ratio, num_masked
        self.rounding, self.seed = rounding, seed
        if rounding not in ROUNDINGS:
            raise ValueError(f'rounding must be one of {ROUNDINGS}, got {rounding!r}.')
        if self.unit % patch_size:
            raise ValueError(f'unit {unit} is no multiple of patch_size {patch_size}.')
        self.cells_per_unit = (self.unit // patch_size) ** 2
        if num_masked is not None and num_masked % self.cells_per_unit:
            raise ValueError(
                f'num_masked {num_masked} is no multiple of the {self.cells_per_unit} cells of a '
                f'unit of {unit} px.'
            )

    def forward(self, views, mask=None):
        images = views['image']
        grid = tokens.exact_grid(images.shape[-2:], self.patch_size)
        mask = self.draw(views, grid) if mask is None else check_mask(mask, len(images), grid)
        return Corrupted(images, mask)

    def draw(self, views: dict, grid) -> Tensor:
        """Masks of a batch: (N, Gh, Gw) bool."""
        units = tokens.exact_grid([side * self.patch_size for side in grid], self.unit)
        length, size = units[0] * units[1], self.cells_per_unit
        asked = self.num_masked and self.num_masked // size
        count = count_masked(length, self.mask_ratio, asked, self.rounding)
        bits = counter_bits(run_seed(self.seed), views['epoch'], views['sample_index'], length)
        hidden = bits.argsort(dim=1)[:, length - count :]
        mask = torch.zeros_like(bits, dtype=torch.bool).scatter_(1, hidden, True)
        mask = mask.reshape(-1, *units)
        side = self.unit // self.patch_size
        if side > 1:
            mask = mask.repeat_interleave(side, 1).repeat_interleave(side, 2)
        return tokens.stamp(mask, count * size)
