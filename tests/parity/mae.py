"""Our MAE in the sizes that the references are built in."""

import torch
from mmengine.registry import DefaultScope

from mmmim.registry import MODELS

TINY = dict(width=32, depth=2, heads=4, size=32, patch=8, dec_width=48, dec_depth=2, dec_heads=3)
BASE = dict(width=768, depth=12, heads=12, size=224, patch=16, dec_width=512, dec_depth=8,
            dec_heads=16)  # fmt: skip
TOLERANCE = dict(rtol=1e-5, atol=1e-5)


def config(sizes, backbone=None, neck=None, target=None) -> dict:
    s = dict(sizes)
    arch = dict(
        embed_dims=s['width'],
        num_layers=s['depth'],
        num_heads=s['heads'],
        feedforward_channels=4 * s['width'],
    )
    place = dict(img_size=s['size'], patch_size=s['patch'])
    return dict(
        type='mmmim.MaskedImageModeling',
        corruption=dict(type='mmmim.RandomMasking', patch_size=s['patch']),
        backbone=dict(type='mmmim.MaskedViT', arch=arch, **place, **(backbone or {})),
        neck=dict(
            type='mmmim.TransformerDecoder',
            in_dims=s['width'],
            out_dims=3 * s['patch'] ** 2,
            embed_dims=s['dec_width'],
            num_layers=s['dec_depth'],
            num_heads=s['dec_heads'],
            **place,
            **(neck or {}),
        ),
        target=dict(type='mmmim.PixelTarget', patch_size=s['patch'], **(target or {})),
        loss=dict(type='mmmim.MaskedRegressionLoss'),
    )


def build(sizes=TINY, **parts):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(config(sizes, **parts))


def views(samples=3, sizes=TINY) -> dict:
    index = torch.arange(samples)
    image = torch.randn(samples, 3, sizes['size'], sizes['size'])
    return dict(image=image, sample_index=index, epoch=torch.zeros_like(index))


def randomise(module):
    """Values around 0 (scales of norms around 1), so that no parameter hides behind its initial
    value; fixed tables stay."""
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            scale = parameter.dim() == 1 and 'norm' in name and name.endswith('weight')
            std = 0.1 if parameter.dim() == 1 else 0.02 + 0.3 / parameter[0].numel() ** 0.5
            torch.nn.init.normal_(parameter, mean=float(scale), std=std)
    return module


def predict(model, batch, mask):
    """(N, L, T)."""
    return model.neck(model.backbone(batch['image'], mask), mask, predict='all')


def gradients(model) -> dict:
    return {n: p.grad for n, p in model.named_parameters() if p.requires_grad}


def assert_same_gradients(ours: dict, theirs: dict):
    """Within 1e-5, and within 1e-4 of the largest value of each parameter's gradient."""
    assert set(ours) == set(theirs)
    for name, gradient in ours.items():
        expected = theirs[name]
        limit = min(1e-5, 1e-4 * expected.abs().max().item())
        assert 0 < limit and (gradient - expected).abs().max() <= limit, name
