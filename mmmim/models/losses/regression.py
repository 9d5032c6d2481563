"""Regression of continuous targets."""

import torch
from torch import Tensor, nn

from mmmim.registry import MODELS

from .. import tokens


@MODELS.register_module()
class MaskedRegressionLoss(nn.Module):
    """Mean |pred - target|**p over the masked cells.

    Eq. (1) of MAE (arXiv:2111.06377, section 3) for ``p=2``; SimMIM (arXiv:2111.09886, section 3.4)
    for ``p=1``.

    Args:
        p (int): Exponent, 1 or 2.

    Raises:
        ValueError: If ``p`` is neither 1 nor 2.
    """

    def __init__(self, p=2):
        super().__init__()
        if p not in (1, 2):
            raise ValueError(f'p must be 1 or 2, got {p}.')
        self.p = p

    def forward(self, pred: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
        """
        Args:
            pred: (N, L, T) or, masked cells only in row-major order, (N, Lm, T); in units of
                ``target``.
            target: (N, L, T).
            mask: (N, Gh, Gw) bool, True = masked. None averages all cells.

        Returns:
            Scalar, float32 also under autocast.
        """
        if mask is not None:
            pred = pred if pred.shape[1] != target.shape[1] else tokens.masked(pred, mask)
            target = tokens.masked(target, mask)
        with torch.autocast(pred.device.type, enabled=False):
            error = pred.float() - target.float()
            return error.square().mean() if self.p == 2 else error.abs().mean()
