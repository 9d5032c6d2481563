"""Self-distillation: several views, a momentum encoder as teacher, prototypes instead of labels."""

from types import NoneType

import torch
from mmpretrain.models.selfsup import BaseSelfSupervisor
from torch import Tensor, nn

from mmmim.registry import MODELS

from .. import tokens
from ..corruptions import BlockMasking, RandomMasking
from ..momentum import MomentumEncoder
from ..randomness import keep_on_host, on_host
from .fit import check_mask_tokens, check_width


class TokenScorer(nn.Module):
    """Backbone and head as one module, for the average of both."""

    def __init__(self, backbone, neck):
        super().__init__()
        self.backbone, self.neck = backbone, neck

    def forward(self, images: Tensor, patches: bool) -> tuple[Tensor, Tensor | None]:
        """(N, C, H, W) -> scores of the class token (N, K), and of the patches (N, L, K)."""
        latent = self.backbone(images)[-1]
        return self.neck(latent[:, 0]), self.neck(latent[:, 1:]) if patches else None


@MODELS.register_module()
class SelfDistillation(BaseSelfSupervisor):
    """Match the teacher's prototypes of another view, and of the patches that were hidden.

    DINO (arXiv:2104.14294, algorithm 1) with ``loss`` alone: the class token of every view predicts
    that of the teacher on each of two global views, but its own. iBOT (arXiv:2111.07832, section
    3.2) with ``corruption`` and ``patch_loss`` too: the student's global views have masked patches,
    which predict the teacher's patches of the same clean view; one head serves both.

    Views: 'view1' and 'view2' (N, C, H, W), and optionally 'local' (N, V, C, h, w), smaller crops
    that the student alone sees.

    Args:
        backbone (dict): With ``out_type='raw'`` and a class token; ``masked='replace'`` for masks.
        neck (dict): Scores tokens, such as ``mmmim.PrototypeHead``.
        loss (dict): Such as ``mmmim.SelfDistillationLoss``.
        patch_loss (dict, optional): Such as ``mmmim.MaskedSelfDistillationLoss``; it needs
            ``corruption``.
        corruption (dict, optional): Draws a mask for each global view. Not every view needs to
            have a masked cell.
        patch_weight (float): Factor of the patch loss (iBOT: 1).
        momentum (float): First momentum of the teacher; a cosine takes it to 1.
        data_preprocessor (dict, optional): Normalises the views.
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: If parts do not fit each other.
    """

    predicts = 'none'
    reconstructs = False
    encoder_prefix = 'momentum_encoder.module.backbone.'  # both papers evaluate the teacher

    def __init__(
        self,
        backbone,
        neck,
        loss,
        patch_loss=None,
        corruption=None,
        patch_weight=1.0,
        momentum=0.996,
        data_preprocessor=None,
        init_cfg=None,
    ):
        super().__init__(
            backbone=backbone,
            neck=neck,
            data_preprocessor=data_preprocessor or default_preprocessor(),
            init_cfg=init_cfg,
        )
        self.loss_module = MODELS.build(loss)
        self.patch_loss = MODELS.build(patch_loss) if patch_loss else None
        self.corruption = MODELS.build(corruption) if corruption else None
        self.patch_weight = patch_weight
        self._check_parts()
        self.momentum_encoder = MomentumEncoder(
            TokenScorer(self.backbone, self.neck), momentum, schedule='cosine', drop_path=False
        )
        for part in self._losses():
            part.center.follow(self.neck)

    def _losses(self):
        return [part for part in (self.loss_module, self.patch_loss) if part is not None]

    def _check_parts(self):
        if (self.patch_loss is None) is not (self.corruption is None):
            raise ValueError('model.patch_loss and model.corruption are given both or not at all.')
        if self.backbone.out_type != 'raw' or self.backbone.num_prefix != 1:
            raise ValueError(
                f"model.backbone: out_type='raw' and with_cls_token=True are needed, got "
                f'out_type={self.backbone.out_type!r} and {self.backbone.num_prefix} class tokens.'
            )
        if self.corruption is not None and self.backbone.masked != 'replace':
            raise ValueError("model.backbone: masks of varying counts need masked='replace'.")
        if not isinstance(self.corruption, (RandomMasking, BlockMasking, NoneType)):
            raise ValueError(
                f'model.corruption = {type(self.corruption).__name__}: the views are masked and '
                'not otherwise corrupted; take mmmim.VaryingMasking, BlockMasking or RandomMasking.'
            )
        check_width(self.backbone, self.neck)
        check_mask_tokens(self.backbone, self.corruption)
        for part in self._losses():
            if part.num_prototypes != self.neck.num_prototypes:
                raise ValueError(
                    f'{type(part).__name__}.num_prototypes = {part.num_prototypes} does not fit '
                    f'model.neck.num_prototypes = {self.neck.num_prototypes}: make them equal.'
                )

    def extract_feat(self, inputs):
        """Features of clean images: a views dict, of which 'view1', or (N, C, H, W)."""
        return self.backbone(inputs['view1'] if isinstance(inputs, dict) else inputs)

    def reconstruct(self, inputs: dict, mask: Tensor | None = None):
        """Prototypes have no pixels.

        Raises:
            ValueError: Always.
        """
        raise ValueError('Self-distillation predicts prototypes, which cannot be drawn as pixels.')

    def draw_masks(self, views: dict, mask: Tensor | None = None) -> Tensor | None:
        """Masks of the global views, one after the other: (2 * N, Gh, Gw) bool, or None."""
        if self.corruption is None:
            return None
        images = torch.cat([views['view1'], views['view2']])
        # an index per view, so that its mask is a function of the seed, epoch, sample and view
        index = _on_both(views['sample_index'], lambda i: torch.cat([2 * i, 2 * i + 1]))
        epoch = _on_both(views['epoch'], lambda e: torch.cat([e, e]))
        both = dict(image=images, sample_index=index, epoch=epoch)
        return self.corruption(both, mask=mask).mask

    def loss(self, inputs: dict, data_samples=None, mask: Tensor | None = None) -> dict:
        """The losses of a batch.

        Args:
            inputs: The views, with 'epoch' and 'sample_index'.
            data_samples: Unused; mmengine passes it.
            mask: (2 * N, Gh, Gw) bool to use instead of drawn ones.

        Returns:
            dict(loss_cls=scalar float32), with patches also ``loss_patch``.
        """
        images = torch.cat([inputs['view1'], inputs['view2']])  # (2N, C, H, W)
        epoch, samples = inputs['epoch'], len(inputs['view1'])
        mask = self.draw_masks(inputs, mask)
        cls_scores, patch_scores = self.momentum_encoder(images, patches=mask is not None)

        latent = self.backbone(images)[-1] if mask is None else self.backbone(images, mask)
        classes = [latent[:, 0]]
        if 'local' in inputs:
            local = inputs['local'].transpose(0, 1).flatten(0, 1)  # (V * N, C, h, w)
            classes.append(self.backbone(local)[-1][:, 0])
        scores = self.neck(torch.cat(classes)).unflatten(0, (-1, samples))
        probs = self.loss_module.assign(cls_scores.unflatten(0, (2, samples)), epoch)
        losses = dict(loss_cls=self.loss_module(scores, probs))
        if mask is not None:
            patch = self._patch_loss(latent[:, 1:], patch_scores, mask, epoch)
            losses['loss_patch'] = self.patch_weight * patch
        return losses

    def _patch_loss(self, latent, scores, mask, epoch):
        """``latent`` (2N, L, D) of the student, ``scores`` (2N, L, K) of the teacher."""
        most = self._most_masked(mask)
        cells, hidden = tokens.masked_first(mask, most)  # (2N, M), most of them masked
        views = (2, len(epoch))
        self.patch_loss.observe(scores)  # every patch counts for the centre, few for the loss
        chosen = tokens.gather(scores, cells).unflatten(0, views)
        return self.patch_loss(
            self.neck(tokens.gather(latent, cells)).unflatten(0, views),
            self.patch_loss.assign(chosen, epoch, observe=False),
            hidden.unflatten(0, views),
        )

    def _most_masked(self, mask: Tensor) -> int:
        """The largest number of masked cells, without asking the device where it is known."""
        cells = mask[0].numel()
        if hasattr(self.corruption, 'most_masked'):
            return min(self.corruption.most_masked(cells), cells)
        return tokens.num_masked(mask) if self.corruption.exact_count else cells


def _on_both(values: Tensor, change) -> Tensor:
    """Change values on the device, and the copy of them on the host that corruptions read."""
    return keep_on_host(change(values), change(on_host(values)))


def default_preprocessor():
    return dict(type='mmmim.ViewsPreprocessor', normalize=('view1', 'view2'))
