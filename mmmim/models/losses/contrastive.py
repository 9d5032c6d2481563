"""Similarity of two views: InfoNCE and BYOL's distance, token by token or of whole vectors."""

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather, get_rank
from torch import Tensor, nn

from mmmim.registry import MODELS


def _unit(x: Tensor) -> Tensor:
    """Vectors of length 1 in float32, with an axis of tokens: (N, D) or (N, K, D) -> (N, K, D)."""
    x = x.float()
    return F.normalize(x if x.dim() == 3 else x.unsqueeze(1), dim=-1)


def _mean_over(values: Tensor, cells: Tensor | None) -> Tensor:
    """Mean over all entries, or over those that ``cells`` (same shape, bool) marks."""
    if cells is None:
        return values.mean()
    return torch.where(cells, values, 0).sum() / cells.sum().clamp_min(1)


@MODELS.register_module()
class InfoNCELoss(nn.Module):
    """-log of the share that the positive key has in the softmax over all keys.

    Eqs. (9) and (10) of the occlusion-invariant paper with MoCo v3's scale (arXiv:2104.02057,
    algorithm 1): cosine similarity, the positive once in the denominator, times ``2 * tau``. Keys
    of all processes are gathered, without gradient. With several tokens per sample each token is a
    problem of its own, whose negatives are the tokens of the same index in the other samples [our
    reading: the paper does not say], and losses are averaged.

    Args:
        temperature (float): tau.
        scale (float, optional): Factor; ``2 * temperature`` by default, 1 for Eq. (9) as printed.
        gather (bool): Take the keys of all processes as negatives.

    Raises:
        ValueError: If the temperature is not positive.
    """

    takes = 'features'

    def __init__(self, temperature=0.2, scale=None, gather=True):
        super().__init__()
        if not temperature > 0:
            raise ValueError(f'temperature must be positive, got {temperature}.')
        self.temperature, self.gather = temperature, gather
        self.scale = 2 * temperature if scale is None else scale

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        cells: Tensor | None = None,
        key_cells: Tensor | None = None,
    ) -> Tensor:
        """
        Args:
            query: (N, D) or (N, K, D), any length.
            key: Likewise; it gets no gradient.
            cells: (N, K) bool, the tokens that count, which must be among ``key_cells``. None: all.
            key_cells: (N, K) bool, the tokens that ``key`` really holds; others are no negatives.
                None: all.

        Returns:
            Scalar, float32 also under autocast.
        """
        with torch.autocast(query.device.type, enabled=False):
            query, key = _unit(query), _unit(key.detach())
            first = get_rank() * len(key) if self.gather else 0
            keys = self._gathered(key)
            # (K, N, M): of each token index, every query against the keys of all M samples
            logits = query.transpose(0, 1) @ keys.permute(1, 2, 0) / self.temperature
            if key_cells is not None:
                held = self._gathered(key_cells)  # (M, K)
                logits = logits.masked_fill(~held.t().unsqueeze(1), float('-inf'))
            labels = torch.arange(first, first + len(query), device=logits.device)
            if cells is not None:  # a row of -inf alone has no gradient: give such rows one key
                logits = torch.where(cells.t().unsqueeze(-1), logits, 0.0)
            losses = F.cross_entropy(
                logits.flatten(0, 1), labels.repeat(logits.shape[0]), reduction='none'
            )
            per_token = losses.reshape(logits.shape[:2]).t()  # (N, K)
            return self.scale * _mean_over(per_token, cells)

    def _gathered(self, x: Tensor) -> Tensor:
        return torch.cat(all_gather(x.contiguous())) if self.gather else x


@MODELS.register_module()
class CosineDistanceLoss(nn.Module):
    """``2 - 2 cos(query, key)``, averaged: BYOL's loss (arXiv:2006.07733, Eq. 2), no negatives.

    The squared distance of the two vectors scaled to length 1.
    """

    takes = 'features'

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        cells: Tensor | None = None,
        key_cells: Tensor | None = None,
    ) -> Tensor:
        """Arguments as :meth:`InfoNCELoss.forward`; ``key_cells`` does not matter here.

        Returns:
            Scalar, float32 also under autocast.
        """
        with torch.autocast(query.device.type, enabled=False):
            cosine = (_unit(query) * _unit(key.detach())).sum(dim=-1)  # (N, K)
            return _mean_over(2 - 2 * cosine, cells)
