"""Training of a discrete tokenizer by reconstruction."""

import math

import torch
import torch.nn.functional as F
from mmpretrain.models.selfsup import BaseSelfSupervisor
from torch import Tensor

from mmmim.registry import MODELS

from .masked_image_modeling import Reconstruction

_DISTANCES = dict(mse=F.mse_loss, smooth_l1=F.smooth_l1_loss)


@MODELS.register_module()
class TokenizerTraining(BaseSelfSupervisor):
    """Discrete VAE: reconstruction through Gumbel-softmax tokens, plus KL to the uniform prior.

    DALL-E (arXiv:2102.12092, section 2.1). CAE does not say how its d-VAE was trained; distance and
    temperatures 0.9 to 0.5 are those of DALLE-pytorch, whose model it takes. That gives the KL term
    no weight; on the embedded scenes most tokens then stay unused, so our configs let it fall from
    2e-3 to 0. Both are set by ``mmmim.AttributeScheduleHook``. The backbone is the tokenizer.

    Args:
        backbone (dict): ``mmmim.DiscreteVAE``.
        temperature (float): Of the Gumbel softmax, until a hook changes it.
        hard (bool): Straight-through tokens.
        distance (str): 'mse' or 'smooth_l1', on normalised pixels.
        kl_weight (float): Weight of KL(q || uniform), mean over tokens (DALLE-pytorch sums those of
            an image), until a hook changes it.
        data_preprocessor (dict): Must leave 'image' in uint8.
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: For an unknown distance.
    """

    predicts = 'none'

    def __init__(
        self,
        backbone,
        temperature=0.9,
        hard=False,
        distance='mse',
        kl_weight=0.0,
        data_preprocessor=None,
        init_cfg=None,
    ):
        if distance not in _DISTANCES:
            raise ValueError(f'distance must be one of {sorted(_DISTANCES)}, got {distance!r}.')
        super().__init__(
            backbone=backbone,
            data_preprocessor=data_preprocessor
            or dict(type='mmmim.ViewsPreprocessor', normalize=()),
            init_cfg=init_cfg,
        )
        self.temperature, self.hard, self.kl_weight = temperature, hard, kl_weight
        self.distance = distance

    def extract_feat(self, inputs):
        """Tokens (N, Gh, Gw) int64 of a views dict, or of (N, C, H, W) uint8 images."""
        return self.backbone.tokenize(inputs['image'] if isinstance(inputs, dict) else inputs)

    def loss(self, inputs: dict, data_samples=None) -> dict:
        """The loss of a batch.

        Args:
            inputs: 'image' (N, C, H, W) uint8.
            data_samples: Unused; mmengine passes it.

        Returns:
            dict: 'loss_reconstruction', 'loss_kl' if it has a weight, and 'perplexity', how many
            tokens the batch effectively uses.
        """
        images = self.backbone.normalize(inputs['image'])
        rebuilt, logits = self.backbone(images, self.temperature, self.hard)
        distance = _DISTANCES[self.distance](rebuilt.float(), images)
        losses = dict(loss_reconstruction=distance, perplexity=perplexity(logits))
        if self.kl_weight:
            losses['loss_kl'] = self.kl_weight * divergence_from_uniform(logits)
        return losses

    @torch.no_grad()
    def reconstruct(self, inputs: dict, mask: Tensor | None = None) -> Reconstruction:
        """Draw the most likely tokens of the images; nothing is masked."""
        image = inputs['image'].float() / 255
        pred = self.backbone.decode(self.backbone.tokenize(inputs['image'])).clamp(0, 1)
        return Reconstruction(
            mask=None, input=image, corrupted=image, pred=pred, pasted=pred, target=image,
            flattered=False,
        )  # fmt: skip


def divergence_from_uniform(logits: Tensor) -> Tensor:
    """KL(softmax || uniform), mean over all cells: (N, V, Gh, Gw) -> scalar, 0 to log V."""
    log_q = logits.log_softmax(dim=1)
    return (log_q.exp() * (log_q + math.log(logits.shape[1]))).sum(dim=1).mean()


@torch.no_grad()
def perplexity(logits: Tensor) -> Tensor:
    """exp of the entropy of the most likely tokens of a batch, 1 to V: (N, V, Gh, Gw) -> scalar."""
    ids = logits.argmax(dim=1).flatten()
    share = torch.zeros(logits.shape[1], device=logits.device).index_add_(
        0, ids, torch.full(ids.shape, 1 / len(ids), device=ids.device)
    )
    return torch.special.entr(share).sum().exp()
