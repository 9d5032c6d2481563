"""Masked image modelling whose similarity is a contrastive loss: C-MAE."""

import torch
from mmpretrain.models.selfsup import BaseSelfSupervisor
from torch import Tensor, nn

from mmmim.registry import MODELS

from .. import tokens
from ..corruptions import Corrupted
from ..corruptions.second_view import SecondMask, second_views
from ..momentum import MomentumEncoder
from .fit import check_mask_tokens, check_width, require_equal

TOKENS = ('token', 'token+cls', 'cls', 'mean')


@MODELS.register_module()
class ContrastiveMIM(BaseSelfSupervisor):
    """C-MAE: two differently masked views of one crop agree, token by token, in feature space.

    Eqs. (9) to (11) of the occlusion-invariant paper: queries ``q(p(f(T1 x)))`` pass backbone,
    projector (``neck``) and predictor; keys ``p(f(T2 x))`` the momentum averages of backbone and
    projector. Both views are augmented in colour after masking, by draws of their own, one per view
    and batch. ``loss`` is ``mmmim.InfoNCELoss``, or ``mmmim.CosineDistanceLoss`` for the BYOL rows
    of Table 4.

    Masked patches are replaced by mask tokens in the encoder (``backbone.masked='replace'``), so
    all tokens have partners. Without mask tokens (Table 4, ``masked='drop'``) a token has a partner
    where both views show it; complementary views show no token twice, so T2 is then drawn
    independently with 25 % hidden and the loss runs over the common part, as the paper does for
    R-MAE in Table 1 [our reading: it does not say how tokens are matched].

    Args:
        corruption (dict): T1. What it degrades (``mmmim.CutMix``) is drawn anew for T2.
        backbone (dict): With ``out_type='raw'``.
        neck (dict): Projector, such as ``mmmim.ProjectionMLP``; its ``in_dims`` may be left out.
        predictor (dict): Likewise.
        loss (dict): ``(query, key, cells, key_cells) -> scalar``.
        second (str): T2's mask: 'complement' (Eq. 6), 'independent' or 'identity'.
        second_mask_ratio (float): Of an independent one.
        augmentation (dict, optional): Degradation of each view after masking.
        tokens (str): What the loss compares (Table 3): 'token', each patch token (the default);
            'token+cls', each of them and the class token; 'cls'; 'mean' of the patch tokens, before
            the projector.
        symmetric (bool): Add the loss with the roles of the views exchanged [our reading: Eq. 11
            shows one direction, and so does the equation of MoCo v3, whose loss is summed].
        momentum (dict, optional): Of :class:`~..momentum.MomentumEncoder`; 0.996 throughout by
            default (section 5).
        data_preprocessor (dict, optional): ``mmmim.ViewsPreprocessor`` by default.
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: If options do not fit each other.
    """

    predicts = 'none'
    reconstructs = False

    def __init__(
        self,
        corruption,
        backbone,
        neck,
        predictor,
        loss,
        second='complement',
        second_mask_ratio=0.25,
        augmentation=None,
        tokens='token',
        symmetric=True,
        momentum=None,
        data_preprocessor=None,
        init_cfg=None,
    ):
        super().__init__(
            backbone=backbone,
            data_preprocessor=data_preprocessor or dict(type='mmmim.ViewsPreprocessor'),
            init_cfg=init_cfg,
        )
        self.neck = MODELS.build({'in_dims': self.backbone.embed_dims, **neck})
        self.predictor = MODELS.build({'in_dims': self.neck.out_dims, **predictor})
        self.loss_module = MODELS.build(loss)
        self.corruption = MODELS.build(corruption)
        self.augmentation = None if augmentation is None else MODELS.build(augmentation)
        self.second = SecondMask(second, self.corruption, second_mask_ratio)
        self.tokens, self.symmetric = tokens, symmetric
        self._check()
        options = dict(momentum or {})
        self.momentum_backbone = MomentumEncoder(self.backbone, **options)
        self.momentum_neck = MomentumEncoder(self.neck, **options)

    def _check(self):
        if self.tokens not in TOKENS:
            raise ValueError(f'model.tokens must be one of {TOKENS}, got {self.tokens!r}.')
        out_type = getattr(self.backbone, 'out_type', None)
        if out_type != 'raw':
            raise ValueError(
                f"model.backbone.out_type is {out_type!r}: set 'raw', since the "
                'loss compares tokens.'
            )
        check_width(self.backbone, self.neck)
        check_mask_tokens(self.backbone, self.corruption)
        require_equal(
            'predictor.in_dims', self.predictor.in_dims, 'neck.out_dims', self.neck.out_dims
        )
        if 'cls' in self.tokens and not self.backbone.num_prefix:
            raise ValueError(f'model.tokens={self.tokens!r} needs a backbone with a class token.')
        drops = self.corruption.masks and self.backbone.masked == 'drop'
        if drops and 'token' in self.tokens and self.second.kind == 'complement':
            raise ValueError(
                "model.second='complement' shows no token in both views when the backbone leaves "
                "masked ones out: set second='independent', or backbone.masked='replace'."
            )
        if getattr(self.backbone, 'mid_mask_token', None) is not None and self.tokens != 'cls':
            raise ValueError(
                'mid-level mask tokens have no partners in the other view: set '
                "model.backbone.mid_mask_depth=None, or model.tokens='cls'."
            )
        patch = getattr(self.corruption, 'patch_size', None)
        require_equal(
            'corruption.patch_size', patch, 'backbone.patch_size', self.backbone.patch_size
        )

    def extract_feat(self, inputs):
        """Features of clean images: a views dict, or (N, C, H, W) normalised images."""
        return self.backbone(inputs['image'] if isinstance(inputs, dict) else inputs)

    def reconstruct(self, inputs: dict, mask: Tensor | None = None):
        """Features have no pixels.

        Raises:
            ValueError: Always.
        """
        raise ValueError('C-MAE compares features, which cannot be drawn as pixels.')

    def loss(self, inputs, data_samples=None, mask=None, second_mask=None) -> dict:
        """The loss of a batch.

        Args:
            inputs: The views.
            data_samples: Unused; mmengine passes it.
            mask: (N, Gh, Gw) bool, that of T1 instead of a drawn one.
            second_mask: Likewise of T2.

        Returns:
            dict(loss_first) and, symmetric, loss_second: each view once as the query.
        """
        first, second = self.make_views(inputs, mask, second_mask)
        result = dict(loss_first=self._compare(first, second))
        if self.symmetric:
            result['loss_second'] = self._compare(second, first)
        return result

    def make_views(self, inputs, mask=None, second_mask=None) -> tuple[Corrupted, Corrupted]:
        """T1 x and T2 x, colours augmented."""
        first, others = self.corruption(inputs, mask=mask), second_views(inputs)
        hidden = self.second.draw(inputs, first.mask) if second_mask is None else second_mask
        if hidden is None and first.mask is not None:
            second = Corrupted(inputs['image'], None)
        else:
            second = self.corruption(others, mask=hidden)
        return self._augment(inputs, first), self._augment(others, second)

    def _augment(self, inputs, view: Corrupted) -> Corrupted:
        if self.augmentation is None:
            return view
        views = {**inputs, 'image': view.images, 'hidden': view.mask}
        return view._replace(images=self.augmentation(views).images)

    def _compare(self, query: Corrupted, key: Corrupted) -> Tensor:
        ours = self.predictor(self.neck(self._select(self.backbone, query)))
        with torch.no_grad():
            theirs = self.momentum_neck(self._select(self.momentum_backbone, key))
        cells, key_cells = self._held(query.mask), self._held(key.mask)
        if key_cells is not None and cells is not None:
            cells = cells & key_cells
        cells = key_cells if cells is None else cells
        ours, theirs = self._spread(ours, query.mask), self._spread(theirs, key.mask)
        return self.loss_module(ours, theirs, cells, key_cells)

    def _select(self, encoder: nn.Module, view: Corrupted) -> Tensor:
        """The tokens that the loss compares, as the encoder gives them: (N, K, D)."""
        latent = encoder(view.images, view.mask)
        latent = latent[-1] if isinstance(latent, tuple) else latent
        prefix = self.backbone.num_prefix
        if self.tokens == 'cls':
            return latent[:, :1]
        if self.tokens == 'mean':
            return latent[:, prefix:].mean(dim=1, keepdim=True)
        return latent if self.tokens == 'token+cls' else latent[:, prefix:]

    def _partial(self, mask) -> bool:
        """Whether tokens of the grid are missing from what :meth:`_select` gives."""
        return mask is not None and self.backbone.masked == 'drop' and 'token' in self.tokens

    def _held(self, mask) -> Tensor | None:
        """(N, K) bool: the tokens that a view has; None for all."""
        if not self._partial(mask):
            return None
        shown = ~mask.flatten(1)
        prefix = shown.new_ones(len(shown), self._num_front())
        return torch.cat([prefix, shown], dim=1)

    def _spread(self, x: Tensor, mask) -> Tensor:
        """Visible tokens at their places in the grid, so that equal indices are equal places."""
        if not self._partial(mask):
            return x
        front = self._num_front()
        return torch.cat([x[:, :front], tokens.spread_visible(x[:, front:], mask)], dim=1)

    def _num_front(self) -> int:
        return self.backbone.num_prefix if self.tokens == 'token+cls' else 0
