"""Two halves of an image that predict each other."""

from torch import Tensor

from mmmim.registry import MODELS

from .. import tokens
from .masked_image_modeling import MaskedImageModeling


@MODELS.register_module()
class MutualPrediction(MaskedImageModeling):
    """Each part of an image, encoded alone, predicts the other; both summaries are contrasted.

    SplitMask (arXiv:2112.10740), as its abstract and reviews describe it, since neither its text
    nor code is at hand. Our reading: the mask is one half and its complement the other; the class
    token belongs to both; a part's summary is the mean of the decoder's outputs at the cells it
    predicts; the contrast takes the other images of the batch as negatives, is averaged over both
    directions, and sends gradient through the queries alone.

    Args:
        corruption (dict): Draws the first half, of an exact count.
        backbone (dict): With ``masked='drop'``.
        neck (dict): ``(latent, mask, predict, with_features) -> (pred, features)``, such as
            ``mmmim.TransformerDecoder``.
        target (dict): Of every cell, such as ``mmmim.TokenTarget``.
        loss (dict): ``(pred, target, mask) -> scalar``.
        contrast (dict): ``(query, key) -> scalar``, such as ``mmmim.InfoNCELoss``.
        contrast_weight (float): Its factor.
        **kwargs: See :class:`MaskedImageModeling`.

    Raises:
        ValueError: If parts do not fit each other.
    """

    predicts = 'all'

    def __init__(self, *, contrast, contrast_weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.contrast = MODELS.build(contrast)
        self.contrast_weight = contrast_weight
        if self.backbone.masked != 'drop' or not self.corruption.exact_count:
            raise ValueError(
                "MutualPrediction encodes each half alone: use a backbone with masked='drop' and a "
                'corruption that masks the same number of cells in every sample.'
            )

    def loss(self, inputs: dict, data_samples=None, mask: Tensor | None = None) -> dict:
        """The losses of a batch.

        Args:
            inputs: The views.
            data_samples: Unused; mmengine passes it.
            mask: (N, Gh, Gw) bool to use instead of a drawn one, True = the second half.

        Returns:
            dict(loss_second=..., loss_first=..., loss_contrast=...), scalars float32: the second
            half predicted from the first, the other way round, and the contrast.
        """
        corrupted = self.corruption(inputs, mask=mask)
        count = tokens.num_masked(corrupted.mask)
        other = tokens.stamp(~corrupted.mask, corrupted.mask[0].numel() - count)
        target = self.target(inputs, corrupted.geometry)
        losses, summaries = {}, []
        for name, hidden in (('second', corrupted.mask), ('first', other)):
            latent = self.backbone(corrupted.images, hidden)
            pred, outputs = self.neck(latent, hidden, predict='masked', with_features=True)
            losses[f'loss_{name}'] = self.loss_module(pred, target, hidden)
            summaries.append(outputs.mean(dim=1))
        both = self.contrast(*summaries) + self.contrast(*reversed(summaries))
        losses['loss_contrast'] = self.contrast_weight * both / 2
        return losses
