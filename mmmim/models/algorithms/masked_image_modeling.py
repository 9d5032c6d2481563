"""The common algorithm: corruption x backbone(mask) x neck x target x loss."""

from typing import NamedTuple

import torch
from mmpretrain.models.selfsup import BaseSelfSupervisor
from torch import Tensor

from mmmim.fast import is_fast
from mmmim.registry import MODELS

from .. import tokens
from ..corruptions import Corrupted
from ..losses import compare
from .fit import check_kind, check_mask_tokens, check_width, require_equal


class Reconstruction(NamedTuple):
    """What a model makes of a batch; images are (N, C, H, W) float32, RGB in [0, 1].

    Where the corruption has a geometry (zoom-in, zoom-out), they lie in the frame in which the
    prediction is compared, that of the encoder's input.

    Attributes:
        mask: (N, Gh, Gw) bool, True = masked; None where nothing is masked.
        input: The clean image.
        corrupted: What the encoder saw, masked patches grey.
        pred: The prediction of every cell, mapped back to pixels.
        pasted: The prediction in the masked cells, the input elsewhere.
        target: The target mapped back to pixels.
        flattered: Whether the mapping used the true patch statistics.
        whole_pred: With a geometry, the prediction in its own frame: all of zoom-in's wider view,
            zoom-out's view enlarged. Else None.
        whole_target: Likewise the target.
    """

    mask: Tensor | None
    input: Tensor
    corrupted: Tensor
    pred: Tensor
    pasted: Tensor
    target: Tensor
    flattered: bool
    whole_pred: Tensor | None = None
    whole_target: Tensor | None = None


@MODELS.register_module()
class MaskedImageModeling(BaseSelfSupervisor):
    """A masked-image-modelling method as a product of its parts.

    Args:
        corruption (dict): ``(views, mask=None) -> Corrupted``.
        backbone (dict): ``(images, mask) -> latent``.
        neck (dict): ``(latent, mask) -> pred``.
        target (dict): ``(views, geometry) -> (N, L, T)``.
        loss (dict): ``(pred, target, mask) -> scalar``.
        data_preprocessor (dict): Delivers the views; ``mmmim.ViewsPreprocessor`` by default.
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: If parts do not fit each other.
    """

    def __init__(
        self, corruption, backbone, neck, target, loss, data_preprocessor=None, init_cfg=None
    ):
        super().__init__(
            backbone=backbone,
            neck=neck,
            data_preprocessor=data_preprocessor or dict(type='mmmim.ViewsPreprocessor'),
            init_cfg=init_cfg,
        )
        self.corruption = MODELS.build(corruption)
        self.target = MODELS.build(target)
        self.loss_module = MODELS.build(loss)
        self._check_parts()

    def _check_parts(self):
        if self._attribute('backbone.img_size') is not None:
            tokens.exact_grid(self.backbone.img_size, self.backbone.patch_size)
        pairs = [
            ('neck.out_dims', 'target.dims'),
            ('neck.num_prefix', 'backbone.num_prefix'),
            ('neck.grid', 'backbone.grid'),
            ('corruption.patch_size', 'backbone.patch_size'),
            ('target.patch_size', 'backbone.patch_size'),
            ('target.pixel_mean', 'data_preprocessor.pixel_mean'),
            ('target.pixel_std', 'data_preprocessor.pixel_std'),
        ]
        for left, right in pairs:
            require_equal(left, self._attribute(left), right, self._attribute(right))
        check_width(self.backbone, self.neck)
        check_mask_tokens(self.backbone, self.corruption)
        check_kind(self.loss_module, self.target)
        self._check_channels()
        self._check_mask_token()
        self._check_cells()

    def _check_channels(self):
        given, giver = self._attribute('corruption.out_channels'), 'corruption'
        if given is None:
            given, giver = self.image_channels, 'data_preprocessor'
        taken = getattr(getattr(self.backbone, 'patch_embed', None), 'in_channels', None)
        if None not in (given, taken) and given != taken:
            raise ValueError(
                f'model.{giver} gives images of {given} channels, model.backbone.in_channels = '
                f'{taken}: make them equal in the config.'
            )

    @property
    def image_channels(self) -> int | None:
        """Channels of clean images, as far as the preprocessor tells."""
        mean = getattr(self.data_preprocessor, 'mean', None)
        return None if mean is None else mean.shape[1]

    def _check_mask_token(self):
        """A decoder has a mask token exactly where the backbone leaves tokens out."""
        out_type = self._attribute('backbone.out_type')
        if self._attribute('corruption.masks') is False and out_type not in (None, 'raw'):
            raise ValueError(f"model.backbone.out_type = {out_type!r} pools the tokens: set 'raw'.")
        if not hasattr(self.neck, 'mask_token'):
            return
        drops = self._attribute('corruption.masks') and self._attribute('backbone.masked') == 'drop'
        if drops is (self.neck.mask_token is None):
            why = 'leaves masked cells out' if drops else 'keeps every cell, masked or not'
            raise ValueError(
                f'model.neck.mask_tokens = {not drops} does not fit: the backbone {why} '
                f'with this corruption. Set mask_tokens={drops}.'
            )

    def _check_cells(self):
        """The neck predicts every cell where the loss needs every cell."""
        corruption = self.corruption
        if corruption.geometric and not getattr(self.target, 'takes_geometry', False):
            raise ValueError(
                f'model.target = {type(self.target).__name__} compares in place, but with '
                f'model.corruption = {type(corruption).__name__} the prediction lies elsewhere '
                "than the input: use target type 'mmmim.ZoomTarget'."
            )
        height, width = self._attribute('backbone.grid') or (1, 1)
        if not corruption.masks and height != width:
            for part in self.loss_module.modules():
                if getattr(part, 'needs_grid', False):
                    raise ValueError(
                        f'{type(part).__name__} learns the grid from the mask; without one it must '
                        f'be square, but model.backbone.grid = {(height, width)}.'
                    )
        everything = corruption.masks and corruption.predicts == 'all'
        if (everything or corruption.geometric) and self._attribute('neck.predict') == 'masked':
            raise ValueError(
                "model.neck.predict = 'masked' does not fit model.corruption = "
                f"{type(corruption).__name__}, whose loss covers all cells: set predict='all'."
            )

    def _attribute(self, path):
        part, name = path.split('.')
        return getattr(getattr(self, part), name, None)

    def extract_feat(self, inputs):
        """Features of clean images: a views dict, or (N, C, H, W) normalised images."""
        images = inputs['image'] if isinstance(inputs, dict) else inputs
        return self.backbone(images)

    def encode(self, corrupted: Corrupted) -> Tensor:
        """The latent: (N, P + Lv, D), or (N, P + L, D) where nothing is left out.

        Without a mask the backbone gives its dense outputs, of which the last is the latent.
        """
        latent = self.backbone(corrupted.images, corrupted.mask)
        return latent[-1] if isinstance(latent, tuple) else latent

    def loss(self, inputs: dict, data_samples=None, mask: Tensor | None = None) -> dict:
        """The loss of a batch.

        Args:
            inputs: The views, see :class:`mmmim.models.corruptions.Corruption`.
            data_samples: Unused; mmengine passes it.
            mask: (N, Gh, Gw) bool to use instead of a drawn one.

        Returns:
            dict(loss=scalar float32).
        """
        corrupted = self.corruption(inputs, mask=mask)
        latent = self.encode(corrupted)
        pred = self.neck(latent, corrupted.mask)
        return dict(loss=self.compare(pred, inputs, corrupted))

    def compare(self, pred: Tensor, inputs: dict, corrupted: Corrupted) -> Tensor:
        """The loss of a prediction, with targets of masked cells alone where it reads no others."""
        if hasattr(self.neck, 'chosen') and corrupted.mask is not None:
            corrupted = corrupted._replace(mask=self.neck.chosen(corrupted.mask))
        if self._reads_masked_alone(pred, corrupted):
            return self.loss_module(pred, self.target(inputs, only=corrupted.mask))
        target = self.target(inputs, corrupted.geometry)
        cells = corrupted.mask if self.corruption.predicts == 'masked' else None
        return compare(self.loss_module, pred, target, cells, corrupted.geometry)

    def _reads_masked_alone(self, pred, corrupted) -> bool:
        mask = corrupted.mask
        if mask is None or corrupted.geometry is not None or self.corruption.predicts != 'masked':
            return False
        able = getattr(self.target, 'takes_mask', False)
        able = able and getattr(self.loss_module, 'cellwise', False)
        if not able or pred.dim() != 3 or not is_fast('targets'):
            return False
        return tokens.has_equal_counts(mask) and pred.shape[1] == tokens.num_masked(mask)

    @torch.no_grad()
    def reconstruct(self, inputs: dict, mask: Tensor | None = None) -> Reconstruction:
        """Predict every cell of a batch and map the prediction back to pixels.

        Args:
            inputs: The views.
            mask: (N, Gh, Gw) bool to use instead of a drawn one.
        """
        corrupted = self.corruption(inputs, mask=mask)
        pred = self.neck(self.encode(corrupted), corrupted.mask, predict='all')
        images = self._pictures(pred, inputs, corrupted.geometry)
        images['corrupted'] = self._to_pixels(corrupted.images)
        images['pasted'] = images['pred']
        if corrupted.mask is not None:
            hidden = self._cells_to_pixels(corrupted.mask)
            grey = torch.full_like(images['corrupted'], 0.5)
            images['corrupted'] = torch.where(hidden, grey, images['corrupted'])
            images['pasted'] = torch.where(hidden, images['pred'], images['input'])
        images = {name: image.clamp(0, 1) for name, image in images.items()}
        return Reconstruction(
            mask=corrupted.mask, flattered=self.target.needs_true_statistics, **images
        )

    def _pictures(self, pred, inputs, geometry) -> dict:
        """Clean image, prediction and target in the frame of comparison, and in their own."""
        if geometry is None:
            return dict(
                input=self._to_pixels(inputs['image']),
                pred=self.target.to_rgb(pred, inputs),
                target=self.target.to_rgb(self.target(inputs), inputs),
            )
        whole = geometry.whole(inputs)
        return dict(
            input=self._to_pixels(geometry.input(inputs)),
            pred=self.target.to_rgb(pred, inputs, geometry=geometry),
            target=geometry.target_pictures(inputs, self.target),
            whole_pred=self.target.to_rgb(pred, whole),
            whole_target=self.target.to_rgb(self.target(whole), whole),
        )

    def _to_pixels(self, images: Tensor) -> Tensor:
        mean, std = self.data_preprocessor.mean / 255, self.data_preprocessor.std / 255
        if images.shape[1] != mean.shape[1]:  # grey: shown in grey
            images = images.expand(-1, mean.shape[1], -1, -1)
            mean, std = (value.mean().expand_as(value) for value in (mean, std))
        return images.float() * std + mean

    def _cells_to_pixels(self, mask: Tensor) -> Tensor:
        """(N, Gh, Gw) -> (N, 1, H, W)."""
        p = self.backbone.patch_size
        return mask.repeat_interleave(p, 1).repeat_interleave(p, 2).unsqueeze(1)
