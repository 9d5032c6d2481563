"""Tiny checkpoints in the layouts of other projects, made by those projects' names alone."""

import torch

from mmmim.models.position import sincos_table

DIMS, DEPTH, PATCH = 32, 2, 4
ARCH = dict(embed_dims=DIMS, num_layers=DEPTH, num_heads=4, feedforward_channels=64)


def timm_names(grid=(4, 4), depth=DEPTH, dims=DIMS, patch=PATCH, channels=3, prefix=1, seed=0):
    """The encoder of timm and facebookresearch/mae: random values, a sin-cos position table."""
    rng = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.randn(*shape, generator=rng)

    state = dict(pos_embed=sincos_table(dims, grid, prefix).clone())
    if prefix:
        state['cls_token'] = rand(1, 1, dims)
    state['patch_embed.proj.weight'] = rand(dims, channels, patch, patch)
    state['patch_embed.proj.bias'] = rand(dims)
    shapes = {
        'norm1': (dims,),
        'attn.qkv': (3 * dims, dims),
        'attn.proj': (dims, dims),
        'norm2': (dims,),
        'mlp.fc1': (64, dims),
        'mlp.fc2': (dims, 64),
    }
    for i in range(depth):
        for name, shape in shapes.items():
            state[f'blocks.{i}.{name}.weight'] = rand(*shape)
            state[f'blocks.{i}.{name}.bias'] = rand(shape[0])
    state['norm.weight'], state['norm.bias'] = rand(dims), rand(dims)
    return state


def mae_decoder(dims=DIMS, width=16, depth=1, grid=(4, 4), patch=PATCH, seed=1):
    """The decoder of facebookresearch/mae beside such an encoder."""
    rng = torch.Generator().manual_seed(seed)

    def rand(*shape):
        return torch.randn(*shape, generator=rng)

    state = {
        'mask_token': rand(1, 1, width),
        'decoder_pos_embed': sincos_table(width, grid, 1).clone(),
        'decoder_embed.weight': rand(width, dims),
        'decoder_embed.bias': rand(width),
        'decoder_norm.weight': rand(width),
        'decoder_norm.bias': rand(width),
        'decoder_pred.weight': rand(3 * patch**2, width),
        'decoder_pred.bias': rand(3 * patch**2),
    }
    blocks = timm_names(depth=depth, dims=width, seed=seed)
    for name, value in blocks.items():
        if name.startswith('blocks.'):
            state[f'decoder_{name}'] = value
    return state


def save(path, content):
    """torch.save, returning the path."""
    torch.save(content, path)
    return path
