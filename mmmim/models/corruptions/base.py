"""What a corruption is: ``(views, mask=None) -> Corrupted(images, mask, geometry)``."""

from typing import Any, NamedTuple

from torch import Tensor, nn

from .. import tokens


class Corrupted(NamedTuple):
    """A corrupted batch.

    Attributes:
        images: (N, C, H, W), what the backbone sees.
        mask: (N, Gh, Gw) bool, True = masked = to be predicted; None where nothing is masked.
        geometry: How predicted pixels map into the frame they are compared in; None for the
            identity.
    """

    images: Tensor
    mask: Tensor | None
    geometry: Any = None


class Corruption(nn.Module):
    """Base of all corruptions.

    Attributes:
        masks (bool): Whether it gives a mask; a degradation does not.
        geometric (bool): Whether it gives a geometry, so that all cells must be predicted.
        out_channels (int, optional): Channels of the images it gives, if not those it takes.
        predicts (str): Which cells the loss covers: 'masked', 'all' or 'none'.
        exact_count (bool): Whether every sample has the same number of masked cells.
        uniform (bool): Whether all cells are hidden equally often.
        fills (bool): Whether it paints over the pixels of masked cells.
    """

    masks = True
    geometric = False
    out_channels = None
    predicts = 'masked'
    exact_count = True
    uniform = True
    fills = False

    def forward(self, views: dict, mask: Tensor | None = None) -> Corrupted:
        """Corrupt a batch.

        Args:
            views: 'image' (N, C, H, W) float, 'sample_index' (N,) and 'epoch' (N,) int64.
            mask: (N, Gh, Gw) bool to use instead of a drawn one.
        """
        raise NotImplementedError


def check_mask(mask: Tensor, num_samples: int, grid) -> Tensor:
    """Accept a mask that a caller gives.

    Raises:
        TypeError: If it is not boolean.
        ValueError: If its shape is not (N, Gh, Gw), or the samples differ in their counts.
    """
    if str(mask.dtype) != 'torch.bool':
        raise TypeError(f'mask must be a bool tensor (True = masked), got {mask.dtype}.')
    if tuple(mask.shape) != (num_samples, *grid):
        raise ValueError(
            f'mask must be (N, Gh, Gw) = {(num_samples, *grid)}, got {tuple(mask.shape)}.'
        )
    tokens.num_masked(mask)
    return mask
