"""The second view of siamese methods: what it hides, and random numbers of its own."""

from torch import Tensor

from .. import tokens
from ..randomness import keep_on_host, on_host
from .base import Corruption
from .masking import RandomMasking

SECOND = ('complement', 'independent', 'identity')
_OFFSET = 1 << 40  # above any sample index


def second_views(views: dict) -> dict:
    """The same views with random numbers of their own: as far as these go, another sample."""
    index = views['sample_index']
    host = on_host(index)
    if host is index:
        return {**views, 'sample_index': index + _OFFSET}
    return {**views, 'sample_index': keep_on_host(index + _OFFSET, host + _OFFSET)}


class SecondMask:
    """The mask of T2, given that of T1 (occlusion-invariant paper, Eq. 6 and Table 1).

    Args:
        kind (str): 'complement': hides what T1 shows (Eq. 6). 'independent': drawn by itself with
            ``mask_ratio`` (Table 1, R-MAE with a dagger). 'identity': hides nothing (double
            dagger).
        first (Corruption): What draws the mask of T1.
        mask_ratio (float): For 'independent'; the paper's is 0.25.

    Raises:
        ValueError: For an unknown kind.
    """

    def __init__(self, kind: str, first: Corruption, mask_ratio: float = 0.25):
        if kind not in SECOND:
            raise ValueError(f'second must be one of {SECOND}, got {kind!r}.')
        self.kind = kind
        patch_size, seed = getattr(first, 'patch_size', None), getattr(first, 'seed', None)
        self.masking = RandomMasking(patch_size or 16, mask_ratio, seed=seed)

    def draw(self, views: dict, mask: Tensor | None) -> Tensor | None:
        """(N, Gh, Gw) bool, or None where nothing is hidden.

        Args:
            views: The batch.
            mask: That of T1; None hides nothing in T2 either.
        """
        if mask is None or self.kind == 'identity':
            return None
        if self.kind == 'complement':
            return tokens.complement(mask)
        return self.masking(second_views(views)).mask
