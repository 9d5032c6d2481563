"""Initial values of other projects, on a plain vision transformer that has MAE's."""

import math

import torch.nn as nn


def keep_mae_(vit: nn.Module) -> None:
    """Nothing to do: the values are MAE's."""


def moco_(vit: nn.Module) -> None:
    """MoCo v3: what differs from MAE is the joint projection, taken as three, and the token."""
    for layer in vit.layers:
        for part in layer.attn.qkv.weight.chunk(3):
            bound = math.sqrt(6 / sum(part.shape))
            nn.init.uniform_(part, -bound, bound)
    if vit.cls_token is not None:
        nn.init.normal_(vit.cls_token, std=1e-6)


def trunc_normal_(vit: nn.Module) -> None:
    """DeiT, DINO and iBOT: truncated normal of 0.02; the mask token, if there is one, 0."""
    for part in vit.layers.modules():
        if isinstance(part, nn.Linear):
            nn.init.trunc_normal_(part.weight, std=0.02)
    vit.patch_embed.projection.reset_parameters()
    if vit.cls_token is not None:
        nn.init.trunc_normal_(vit.cls_token, std=0.02)
    if hasattr(vit, 'mask_token'):
        nn.init.zeros_(vit.mask_token)


INITS = dict(mae=keep_mae_, moco=moco_, trunc_normal=trunc_normal_)
