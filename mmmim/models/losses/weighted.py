"""Sums of losses."""

from collections.abc import Sequence

from torch import Tensor, nn

from mmmim.registry import MODELS

from .geometry import compare


@MODELS.register_module()
class WeightedLoss(nn.Module):
    """Weighted sum of losses on the same prediction.

    Beyond Masking (arXiv:2203.14313), zoom-in: 0.8 of the masked regression, 0.2 of the border.

    Args:
        losses (list[dict]): The terms.
        weights (Sequence[float]): A factor for each.

    Raises:
        ValueError: If there are no terms, or not a weight for each.
    """

    takes_geometry = True

    def __init__(self, losses, weights: Sequence[float]):
        super().__init__()
        if not losses or len(losses) != len(weights):
            raise ValueError(
                f'WeightedLoss has {len(losses)} losses and {len(weights)} weights: '
                'give at least one loss, and a weight for each.'
            )
        self.losses = nn.ModuleList(MODELS.build(loss) for loss in losses)
        self.weights = tuple(weights)

    def forward(self, pred: Tensor, target: Tensor, mask=None, geometry=None) -> Tensor:
        """Arguments as those of the terms. Returns a scalar, float32."""
        terms = [compare(loss, pred, target, mask, geometry) for loss in self.losses]
        return sum(weight * term for weight, term in zip(self.weights, terms))

    def beyond_mask(self, geometry) -> Tensor | None:
        """(L,) bool: cells of the prediction that some term reads, masked or not."""
        found = [loss.beyond_mask(geometry) for loss in self.losses if hasattr(loss, 'beyond_mask')]
        found = [cells for cells in found if cells is not None]
        return sum(found[1:], found[0]) if found else None
