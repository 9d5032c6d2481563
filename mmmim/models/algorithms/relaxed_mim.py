"""The relaxed siamese form of masked image modelling: R-MAE."""

import torch
from torch import Tensor

from mmmim.analysis.psnr import REGIONS, psnr
from mmmim.registry import MODELS

from .. import tokens
from ..corruptions import Corrupted
from ..corruptions.second_view import SecondMask, second_views
from .masked_image_modeling import MaskedImageModeling

PSNR_REGIONS = (*REGIONS, None)


@MODELS.register_module()
class RelaxedMIM(MaskedImageModeling):
    """R-MAE: two masked views meet in pixels, and the second one is an auto-encoder.

    Eq. (8) of the occlusion-invariant paper, with one encoder ``f`` and one decoder ``d`` for both
    views (its "in practice, phi = phi'")::

        mean |d(f(T1 x)) - d(f(T2 x))|**2 + weight * mean |d(f(T2 x)) - x|**2

    over the cells that T1 hides and T2 shows. The means run over all such cells of the batch, as in
    MAE's code [the paper writes norms]; ``loss`` decides about the power, ``target`` about ``x``
    (section 5: pixels normalised per patch).

    Args:
        second (str): T2: 'complement' (R-MAE), 'independent' (dagger of Table 1) or 'identity'
            (double dagger: T2 x = x), see :class:`~..corruptions.second_view.SecondMask`.
        second_mask_ratio (float): Of an independent T2 (paper: 0.25).
        weight (float): lambda; the paper's is 1.
        detach_second (bool): No gradient through T2 in the first term [not in the paper, which
            optimises jointly].
        psnr_region (str, optional): Also log 10 log10(1 / MSE) of the prediction from T1, mapped
            back by the true patch statistics, on pixels in [0, 1], averaged over images: of
            'masked' patches [our reading of Table 1, which does not say], of 'all' patches, or of
            the 'composite' of predicted masked and true visible patches. None for no PSNR.
        **parts: Of :class:`MaskedImageModeling`.

    Raises:
        ValueError: For an unknown option, or a corruption that hides nothing.
    """

    def __init__(
        self,
        second='complement',
        second_mask_ratio=0.25,
        weight=1.0,
        detach_second=False,
        psnr_region='masked',
        **parts,
    ):
        super().__init__(**parts)
        if psnr_region not in PSNR_REGIONS:
            raise ValueError(f'psnr_region must be one of {PSNR_REGIONS}, got {psnr_region!r}.')
        if not self.corruption.masks or self.corruption.geometric:
            raise ValueError(
                f'model.corruption = {type(self.corruption).__name__}: the two views of R-MAE need '
                'a corruption that masks in place, such as mmmim.RandomMasking.'
            )
        self.second = SecondMask(second, self.corruption, second_mask_ratio)
        self._check_comparison(psnr_region)
        self.weight, self.detach_second, self.psnr_region = weight, detach_second, psnr_region

    def _check_comparison(self, psnr_region):
        if psnr_region is not None and not getattr(self.target, 'reconstructs', True):
            raise ValueError(
                f'psnr_region = {psnr_region!r} needs pixels, which model.target = '
                f'{type(self.target).__name__} does not give: set psnr_region=None.'
            )
        gives = getattr(self.target, 'gives', 'values')
        if gives != 'values':
            raise ValueError(
                f'R-MAE compares two predictions, but model.target = {type(self.target).__name__} '
                f'gives {gives}: take a target of values, such as mmmim.PixelTarget.'
            )
        for part in self.loss_module.modules():
            if getattr(part, 'reads_all_targets', False):
                raise ValueError(
                    f'{type(part).__name__} reads whole images, but R-MAE compares the cells that '
                    'one view hides and the other shows: take a loss of cells, such as '
                    'mmmim.MaskedRegressionLoss.'
                )
        if self.second.kind == 'identity' and self.corruption.out_channels is not None:
            raise ValueError(
                "second='identity' shows the encoder the clean image, but model.corruption gives "
                f"images of {self.corruption.out_channels} channels: set second='complement'."
            )

    def loss(self, inputs, data_samples=None, mask=None, second_mask=None):
        """The two terms of Eq. (8) and, for the log, the PSNR.

        Args:
            inputs: The views.
            data_samples: Unused; mmengine passes it.
            mask: (N, Gh, Gw) bool, that of T1 instead of a drawn one.
            second_mask: Likewise of T2.

        Returns:
            dict(loss_distance, loss_constraint, psnr), scalars.
        """
        first = self.corruption(inputs, mask=mask)
        second = self.second_view(inputs, first, second_mask)
        target = self.target(inputs)
        cells = 'all' if self.psnr_region == 'all' else 'masked'
        pred = self.neck(self.encode(first), first.mask, predict=cells)  # (N, L or Lm, T)
        other = self.neck(self.encode(second), second.mask, predict='all')  # (N, L, T)
        result = {} if self.psnr_region is None else dict(psnr=self.psnr(pred, first.mask, inputs))

        shown = self._shown(first.mask, second.mask)
        truth, other = tokens.masked(target, first.mask), tokens.masked(other, first.mask)
        pred = tokens.masked(pred, first.mask) if cells == 'all' else pred
        reference = other.detach() if self.detach_second else other
        result['loss_distance'] = self._mean(pred, reference, shown)
        result['loss_constraint'] = self.weight * self._mean(other, truth, shown)
        return result

    def second_view(self, inputs, first: Corrupted, mask: Tensor | None = None) -> Corrupted:
        """T2 x: degradations, if there are any, drawn anew; the mask as ``second`` says."""
        mask = self.second.draw(inputs, first.mask) if mask is None else mask
        if mask is None:
            return Corrupted(inputs['image'], None)
        return self.corruption(second_views(inputs), mask=mask)

    def predicted_cells(self, inputs: dict) -> Tensor:
        """(N, L) bool: the cells that the loss covers, hidden by T1 and shown by T2."""
        first = self.corruption(inputs).mask
        second = self.second.draw(inputs, first)
        return (first if second is None else first & ~second).flatten(1)

    def _shown(self, first, second) -> Tensor | None:
        """(N, Lm, 1) float, 1 where T2 shows a cell that T1 hides; None where it shows them all."""
        if self.second.kind != 'independent':
            return None
        return tokens.masked((~second).flatten(1).unsqueeze(-1).float(), first)

    def _mean(self, pred, target, shown) -> Tensor:
        """The loss of hidden cells, over those that T2 shows; no cell is picked, so none moves."""
        if shown is None:
            return self.loss_module(pred, target, None)
        with torch.autocast(pred.device.type, enabled=False):
            loss = self.loss_module(pred.float() * shown, target.float() * shown, None)
        return loss * (shown.numel() / shown.sum().clamp_min(1))

    @torch.no_grad()
    def psnr(self, pred: Tensor, mask: Tensor, inputs: dict) -> Tensor:
        """Mean PSNR of the prediction in dB, in ``psnr_region``.

        Args:
            pred: (N, L, T) or masked cells only, (N, Lm, T).
            mask: (N, Gh, Gw) bool.
            inputs: The views.
        """
        if self.psnr_region != 'all':
            pred = tokens.scatter_masked(self.target(inputs), pred.detach(), mask)
        images = self.target.to_rgb(pred, inputs)
        region = self._cells_to_pixels(mask) if self.psnr_region == 'masked' else None
        return psnr(images, self._to_pixels(inputs['image']), region).mean()
