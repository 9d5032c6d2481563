"""CAE against mmpretrain's modules, which were found equal to the released code: same weights, same
mask of 98 of 14x14 cells.

Stochastic depth is off: mmpretrain applies it twice to the perceptrons of encoder and decoder.
"""

import pytest
import torch
from helpers.masks import random_mask
from mmengine.registry import DefaultScope
from mmpretrain.models.heads import CAEHead
from mmpretrain.models.necks import CAENeck
from mmpretrain.models.selfsup.cae import CAEPretrainViT

from mmmim.registry import MODELS

P, GRID, COUNT, WIDTH = 4, (14, 14), 98, 32
VOCABULARY = 3 * P**2  # that of a pixel target, which is then exchanged for given tokens
ARCH = dict(embed_dims=WIDTH, num_layers=2, num_heads=4, feedforward_channels=64)
PLACE = dict(img_size=56, patch_size=P)
CFG = dict(
    type='mmmim.LatentAlignment',
    align_weight=2.0,
    corruption=dict(type='mmmim.BlockMasking', patch_size=P),
    backbone=dict(
        type='mmmim.MaskedBEiT', arch=ARCH, **PLACE, rel_pos='none', pos_embed='sincos_row_first',
        masked='drop', init='cae', out_type='raw',
    ),
    neck=dict(
        type='mmmim.LatentRegressor', in_dims=WIDTH, embed_dims=WIDTH, out_dims=VOCABULARY,
        regressor_depth=2, decoder_depth=2, num_heads=4, **PLACE, drop_path_rate=0.0,
    ),
    target=dict(type='mmmim.PixelTarget', patch_size=P),
    loss=dict(type='mmmim.MaskedRegressionLoss'),  # exchanged together with the target
)  # fmt: skip
TOLERANCE = dict(rtol=1e-5, atol=1e-5)


class Given(torch.nn.Module):
    """A target known beforehand: (N, L) tokens."""

    def __init__(self, ids):
        super().__init__()
        self.ids = ids

    def forward(self, views, geometry=None):
        return self.ids


class Reference:
    """mmpretrain's CAE, called as its algorithm does."""

    def __init__(self):
        options = dict(layer_scale_init_value=0.1)
        self.encoder = CAEPretrainViT(arch=ARCH, **PLACE, **options)
        self.neck = CAENeck(
            num_classes=VOCABULARY, embed_dims=WIDTH, regressor_depth=2, decoder_depth=2,
            num_heads=4, mask_tokens_num=COUNT, **options,
        )  # fmt: skip
        self.head = CAEHead(loss=dict(type='CAELoss', lambd=2))
        for part in (self.encoder, self.neck):
            part.init_weights()
            for name, parameter in part.named_parameters():
                if name != 'pos_embed':  # else zeros and ones would hide a mistake
                    parameter.data.add_(torch.randn_like(parameter) * 0.1)

    def __call__(self, images, mask):
        """Logits (N, Lm, V), regressed latent and its target (N, Lm, D)."""
        flat, n = mask.flatten(1), len(mask)
        latent = self.encoder(images, flat)[:, 1:]
        with torch.no_grad():
            target = self.encoder(images, ~flat)[:, 1:]
        pos = self.encoder.pos_embed.expand(n, -1, -1)[:, 1:]
        masked, visible = pos[flat].reshape(n, -1, WIDTH), pos[~flat].reshape(n, -1, WIDTH)
        return *self.neck(latent, masked, visible), target

    def losses(self, images, mask, ids):
        logits, latent, target = self(images, mask)
        maps = torch.nn.functional.one_hot(ids, VOCABULARY).float().transpose(1, 2)
        maps = maps.unflatten(2, GRID)
        return self.head.loss(logits.flatten(0, 1), maps, latent, target, mask.flatten(1))


@pytest.fixture(scope='module')
def pair():
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        reference, ours = Reference(), MODELS.build(CFG)
    ours.backbone.load_state_dict(reference.encoder.state_dict())
    ours.neck.load_state_dict(reference.neck.state_dict())
    ours.target = Given(torch.randint(0, VOCABULARY, (2, 196)))
    ours.loss_module = MODELS.build(dict(type='mmmim.TokenCrossEntropy'))
    return ours, reference


@pytest.fixture(scope='module')
def batch():
    torch.manual_seed(1)
    views = dict(image=torch.randn(2, 3, 56, 56), sample_index=torch.arange(2))
    return {**views, 'epoch': torch.zeros(2, dtype=torch.int64)}, random_mask(2, GRID, COUNT)


def test_logits_and_latents(pair, batch):
    (ours, reference), (views, mask) = pair, batch
    logits, latent, target = reference(views['image'], mask)
    pred, regressed = ours.neck(ours.backbone(views['image'], mask), mask, return_latent=True)
    torch.testing.assert_close(pred, logits, **TOLERANCE)
    torch.testing.assert_close(regressed, latent, **TOLERANCE)
    torch.testing.assert_close(ours.encode_masked(views['image'], mask), target, **TOLERANCE)


def test_both_losses_and_all_gradients(pair, batch):
    (ours, reference), (views, mask) = pair, batch
    main, align = reference.losses(views['image'], mask, ours.target.ids)
    losses = ours.loss(views, mask=mask)
    torch.testing.assert_close(losses['loss_pred'], main, **TOLERANCE)
    torch.testing.assert_close(losses['loss_align'], align, **TOLERANCE)
    (main + align).backward()
    sum(losses.values()).backward()
    for part, theirs in ((ours.backbone, reference.encoder), (ours.neck, reference.neck)):
        gradients = {name: p.grad for name, p in theirs.named_parameters() if p.grad is not None}
        assert set(gradients) == {n for n, p in part.named_parameters() if p.grad is not None}
        for name, parameter in part.named_parameters():
            if name in gradients:
                torch.testing.assert_close(parameter.grad, gradients[name], **TOLERANCE, msg=name)
