"""Losses where predictions are compared in another frame than their own."""

import torch
from torch import Tensor, nn

from mmmim.registry import MODELS


def compare(loss: nn.Module, pred: Tensor, target: Tensor, mask=None, geometry=None) -> Tensor:
    """Apply any loss in the frame that the geometry asks for.

    Without a geometry this is ``loss(pred, target, mask)``. With one, losses that declare
    ``takes_geometry`` are handed it; for others the prediction is placed, and where the target
    holds more than its T values per cell, the first T are those of that frame.
    """
    if geometry is None:
        return loss(pred, target, mask)
    if getattr(loss, 'takes_geometry', False):
        return loss(pred, target, mask, geometry=geometry)
    return loss(geometry.place_tokens(pred), target[..., : pred.shape[-1]], mask)


@MODELS.register_module()
class BorderLoss(nn.Module):
    """Squared error on what zoom-in hides: the border of the wider view around the encoder's input.

    Beyond Masking (arXiv:2203.14313), task (a), as in its code: prediction and whole target, both
    resized to the wider view, compared on four strips (rows above, rows below, and left and right
    of the rows between); the *sum* of their four means.
    """

    takes_geometry = True

    def forward(self, pred: Tensor, target: Tensor, mask=None, geometry=None) -> Tensor:
        """
        Args:
            pred: (N, L, T), all cells.
            target: (N, L, 2 T) of ``mmmim.ZoomTarget``.
            mask: Unused: the border is never seen, whatever is masked.
            geometry: ``ZoomInGeometry``.

        Returns:
            Scalar, float32 also under autocast.

        Raises:
            ValueError: Without such a geometry or target.
        """
        dims = pred.shape[-1]
        if not hasattr(geometry, 'widen') or target.shape[-1] != 2 * dims:
            raise ValueError(
                'BorderLoss needs what lies around the image: '
                "use it with corruption 'mmmim.ZoomIn' and target 'mmmim.ZoomTarget'."
            )
        with torch.autocast(pred.device.type, enabled=False):
            # widened once: resizing is linear
            error = geometry.widen(geometry.to_images(pred.float() - target[..., dims:]))
            return sum(strip.square().mean() for strip in strips(error, geometry.margin))

    @staticmethod
    def beyond_mask(geometry) -> Tensor:
        """(L,) bool: cells of the prediction that the border reads, masked or not."""
        sides = []
        for size, wide, margin in zip(geometry.size, geometry.wide, geometry.margin):
            first = -(-margin * size // wide)  # pixels that the first strip reads
            last = (wide - margin) * size // wide  # where the last strip starts
            pixel = torch.arange(size)
            sides.append(((pixel < first) | (pixel >= last)).reshape(-1, geometry.patch_size))
        rows, columns = (side.any(dim=1) for side in sides)
        return (rows.unsqueeze(1) | columns).flatten()


def strips(images: Tensor, margin: tuple[int, int]) -> tuple[Tensor, ...]:
    """Rows above and below the centre, then left and right of the rows between."""
    (top, left), (height, width) = margin, images.shape[-2:]
    middle = images[:, :, top : height - top]
    return (
        images[:, :, :top],
        images[:, :, height - top :],
        middle[..., :left],
        middle[..., width - left :],
    )
