"""Masks made of rectangular blocks of cells."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from mmmim.registry import MODELS

from .. import tokens
from ..randomness import counter_uniform, on_host, run_seed
from .base import Corrupted, Corruption, check_mask

_STREAM = 10
_PER_TRY = 4  # area, aspect, row, column
_TRIES_AT_ONCE = 256  # one draw for the batch costs less than a few for single samples
_MAX_TRIES = 2048  # a grid of 14x14 needs about 20; very small grids may offer no fitting block


@MODELS.register_module()
class BlockMasking(Corruption):
    """Hide rectangles of cells until a given number is hidden.

    BEiT (arXiv:2106.08254, algorithm 1) and CAE (arXiv:2202.03026, section 4.1): a block has an
    area uniform between ``min_patches`` and what is left to hide, and a log-uniform aspect; it is
    taken if it hides something new and not too much. Blocks end at the last row and column too
    (mmpretrain's generator never reaches those). The mask is a function of (seed, epoch, sample
    index).

    Args:
        patch_size (int): Side of a cell in pixels.
        mask_ratio (float): Share of hidden cells, rounded to the nearest count (CAE, Table 5: 40,
            50 and 60 % of 196 become 78, 98 and 118 [not in the paper]).
        num_masked (int, optional): Number of hidden cells, instead of the ratio (BEiT: 75).
        min_patches (int): Smallest area drawn; once less is left to hide, the largest.
        max_patches (int, optional): Largest area drawn; by default whatever is left to hide.
        aspect (tuple): Range of height / width of a block.
        exact_count (bool): True as CAE: go on until the count is met. False as BEiT: give up after
            ten blocks in a row that do not fit, so that samples may hide fewer.
        seed (int, optional): Seed of the masks; by default that of the run.

    Raises:
        ValueError: If an option is out of range, the patch does not divide the image, or the count
            does not fit the grid.
    """

    uniform = False  # cells at the border belong to fewer blocks than those inside

    def __init__(
        self,
        patch_size=16,
        mask_ratio=0.5,
        num_masked=None,
        min_patches=16,
        max_patches=None,
        aspect=(0.3, 1 / 0.3),
        exact_count=True,
        seed=None,
    ):
        super().__init__()
        if not 0 < aspect[0] <= aspect[1]:
            raise ValueError(f'aspect={tuple(aspect)} must be (low, high) with 0 < low <= high.')
        if min_patches < 1 or (max_patches is not None and max_patches < 1):
            raise ValueError(
                f'min_patches={min_patches} and max_patches={max_patches} must be at least 1.'
            )
        self.patch_size, self.mask_ratio, self.num_masked = patch_size, mask_ratio, num_masked
        self.min_patches, self.max_patches = min_patches, max_patches
        self.log_aspect = tuple(math.log(value) for value in aspect)
        self.exact_count, self.seed = exact_count, seed

    def forward(self, views, mask=None):
        images = views['image']
        grid = tokens.exact_grid(images.shape[-2:], self.patch_size)
        if mask is None:
            return Corrupted(images, self.draw(views, grid))
        if self.exact_count:
            check_mask(mask, len(images), grid)
        return Corrupted(images, mask)

    def count(self, num_cells: int) -> int:
        """Number of cells to hide of a grid of ``num_cells``."""
        count = round(num_cells * self.mask_ratio) if self.num_masked is None else self.num_masked
        if not 0 < count < num_cells:
            raise ValueError(
                f'BlockMasking (mask_ratio {self.mask_ratio}, num_masked {self.num_masked}) hides '
                f'{count} of {num_cells} cells, but at least one cell must be hidden and one '
                f'visible: choose num_masked in 1..{num_cells - 1} or a ratio in between.'
            )
        return count

    def draw(self, views: dict, grid) -> Tensor:
        """Masks of a batch: (N, Gh, Gw) bool, drawn on the CPU, on the device of the images."""
        count = self.count(grid[0] * grid[1])
        mask = self.draw_blocks(views, grid, [count] * len(views['sample_index']))
        return tokens.stamp(mask, count) if self.exact_count else mask

    def draw_blocks(self, views: dict, grid, counts: list[int]) -> Tensor:
        """As :meth:`draw`, with a number of cells to hide per sample."""
        length = grid[0] * grid[1]
        seed, epoch = run_seed(self.seed), on_host(views['epoch'])
        index = on_host(views['sample_index'])
        epoch = torch.as_tensor(epoch).expand(len(index))
        first = _numbers(seed, epoch, index, _TRIES_AT_ONCE).tolist()
        rows = [
            self._draw_one(grid, counts[i], _Stream(seed, epoch[i], index[i], numbers))
            for i, numbers in enumerate(first)
        ]
        width = -(-length // 8)
        packed = np.frombuffer(b''.join(row.to_bytes(width, 'little') for row in rows), np.uint8)
        bits = np.unpackbits(packed.reshape(-1, width), axis=1, count=length, bitorder='little')
        mask = torch.from_numpy(bits).bool().reshape(-1, *grid)
        device = views['sample_index'].device
        if device.type == 'cuda':
            mask = mask.pin_memory().to(device, non_blocking=True)
        return mask

    def _draw_one(self, grid, count: int, numbers: Iterator) -> int:
        """One mask as an integer whose bit (row * Gw + column) says whether a cell is hidden."""
        mask = tries = 0
        left = count
        while left:
            block = self._block(grid, min(left, self.max_patches or left), next(numbers))
            fresh = (block & ~mask).bit_count()
            tries += 1
            if 0 < fresh <= min(left, self.max_patches or left):
                mask, left, tries = mask | block, left - fresh, 0
            elif not self.exact_count and tries == 10:
                break
            elif tries == _MAX_TRIES:
                return _fill(mask, left, grid[0] * grid[1], next(numbers))
        return mask

    def _block(self, grid, most: int, numbers) -> int:
        """A rectangle as such an integer; 0 where it is as high or as wide as the grid."""
        (height, width), (low, high) = grid, self.log_aspect
        area = self.min_patches + (most - self.min_patches) * numbers[0]
        aspect = math.exp(low + (high - low) * numbers[1])
        h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if h >= height or w >= width:
            return 0
        top, left = int(numbers[2] * (height - h + 1)), int(numbers[3] * (width - w + 1))
        column = ((1 << h * width) - 1) // ((1 << width) - 1)  # bit 0 of each of h rows
        return ((1 << w) - 1) * column << (top * width + left)


class _Stream:
    """Groups of four random numbers in [0, 1) of one sample, as many as asked for."""

    def __init__(self, seed, epoch, index, numbers):
        self.source = (seed, epoch, index)
        self.numbers, self.position = numbers, 0

    def __next__(self):
        if self.position == len(self.numbers):
            more = _numbers(*self.source, 2 * self.position // _PER_TRY)
            self.numbers = more[0].tolist()
        self.position += _PER_TRY
        return self.numbers[self.position - _PER_TRY : self.position]


def _numbers(seed, epoch, index, tries: int) -> Tensor:
    return counter_uniform(seed, epoch, index, _PER_TRY * tries, _STREAM, device='cpu')


def _fill(mask: int, left: int, length: int, numbers) -> int:
    """Hide ``left`` more cells, evenly spread over the visible ones from a random start."""
    visible = [cell for cell in range(length) if not mask >> cell & 1]
    start = numbers[0] * len(visible)
    for step in range(left):
        mask |= 1 << visible[int(start + step * len(visible) / left) % len(visible)]
    return mask
