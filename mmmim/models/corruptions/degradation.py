"""What corruptions without a mask have in common."""

from torch import Tensor

from mmmim.registry import MODELS

from ..randomness import counter_uniform, run_seed
from .base import Corrupted, Corruption


class Degradation(Corruption):
    """Base of corruptions that change pixels and hide no cell; the loss covers all of them.

    Subclasses say how in :meth:`degrade`.

    Args:
        seed (int, optional): Seed of the draws; by default that of the run.
        per_batch (bool): Draw once for the whole batch, from its first sample, where Beyond
            Masking's code does so; the draws then depend on how samples are batched.
    """

    masks = False
    predicts = 'all'

    def __init__(self, seed=None, per_batch=False):
        super().__init__()
        self.seed, self.per_batch = seed, per_batch

    def forward(self, views, mask=None):
        """
        Raises:
            ValueError: If a mask is given.
        """
        self.refuse_mask(mask)
        return Corrupted(self.degrade(views), None)

    def refuse_mask(self, mask):
        if mask is not None:
            raise ValueError(
                f'{type(self).__name__} hides nothing and takes no mask: '
                'chain it with a masking in mmmim.CorruptionSequence.'
            )

    def degrade(self, views: dict) -> Tensor:
        """The images that the backbone sees, from views['image'] (N, C, H, W) normalised."""
        raise NotImplementedError

    def coordinates(self, views: dict) -> dict:
        """Where random numbers are taken from: a row per sample, or one row for the batch."""
        rows = slice(1) if self.per_batch else slice(None)
        epoch, index = views['epoch'], views['sample_index']
        return dict(seed=run_seed(self.seed), epoch=epoch[rows], sample_index=index[rows])

    def uniform(self, views: dict, count: int, stream: int, low=0.0, high=1.0) -> Tensor:
        """(N, count) float32, uniform in [low, high); rows are equal with ``per_batch``."""
        numbers = counter_uniform(**self.coordinates(views), count=count, stream=stream)
        return (low + (high - low) * numbers).expand(len(views['image']), count)


@MODELS.register_module()
class NoCorruption(Degradation):
    """The image as it is: an auto-encoder, or two equal views.

    The row of Table 5 of the occlusion-invariant paper without any transformation.
    """

    def degrade(self, views):
        return views['image']
