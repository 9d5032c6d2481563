"""Tiny two-view models and batches for them."""

import torch

from mmmim.registry import MODELS

ARCH = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)
VIT = dict(type='mmmim.MaskedViT', arch=ARCH, img_size=32, patch_size=8)


def batch(samples=4, local=0, seed=0, start=0):
    """Views as the preprocessor hands them on."""
    generator = torch.Generator().manual_seed(seed)
    views = {
        name: torch.randn(samples, 3, 32, 32, generator=generator) for name in ('view1', 'view2')
    }
    if local:
        views['local'] = torch.randn(samples, local, 3, 16, 16, generator=generator)
    index = torch.arange(start, start + samples)
    return dict(views, sample_index=index, epoch=torch.zeros_like(index))


def cut(views, start, stop):
    """Some samples of a batch."""
    return {name: value[start:stop] for name, value in views.items()}


def build(cfg, **changes):
    torch.manual_seed(0)
    model = MODELS.build({**cfg, **changes})
    model.init_weights()
    return model


def train(model, batches, accumulate=1, lr=0.05):
    """Plain SGD; each entry of ``batches`` is a micro-batch."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=lr)
    for number, views in enumerate(batches, start=1):
        loss = model.parse_losses(model.loss(views))[0] / accumulate
        loss.backward()
        if number % accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
    return model
